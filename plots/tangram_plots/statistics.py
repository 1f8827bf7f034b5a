"""Means over replications with their 95 % confidence intervals."""
import math

# The 97.5 % quantile of Student's t for 1 to 30 degrees of freedom.
T_QUANTILE = (
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
    2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
    2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
    2.048407, 2.045230, 2.042272)


def student_t(degrees):
    """The 97.5 % quantile; beyond the table by the expansion in 1 / degrees (Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.5), off by less than 2e-6."""
    if degrees <= len(T_QUANTILE):
        return T_QUANTILE[degrees - 1]
    z = 1.959963984540054
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + (first + (second + third / degrees) / degrees) / degrees


def interval(values):
    """(mean, half width of the 95 % interval); the half width of a single value is NaN."""
    values = [float(value) for value in values]
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan
    deviation = math.sqrt(sum((value - mean)**2 for value in values) / (n - 1))
    return mean, student_t(n - 1) * deviation / math.sqrt(n)
