"""Replays the arrivals of Paella's artifact: the same model and the same gap for every request.

Its load generator draws, per request, the model (uniform over the cumulative weights), then a
lognormal gap, from one std::mt19937 seeded with 1, through libstdc++'s distributions (the first of floats). Both are
rebuilt here, so that the counts and the realised rates are the published runs' own (test: test_arrivals.py).
"""

import math

MIX = {  # weight, instances: figure 11
    "mobilenetv2": (0.257, 36),
    "densenet121": (0.0706, 10),
    "googlenet": (0.0546, 8),
    "inceptionv3": (0.0138, 2),
    "resnet18": (0.272, 38),
    "resnet34": (0.168, 24),
    "resnet50": (0.0745, 10),
    "squeezenet1.1": (0.0895, 13),
}
PAIR = {"resnet18": (0.952, 119), "inceptionv3": (0.048, 6)}  # figures 12 and 13
JOBS = 3000


class MersenneTwister:
    """std::mt19937 (Matsumoto and Nishimura 1998)."""

    def __init__(self, seed):
        self.state = [seed]
        for i in range(1, 624):
            last = self.state[-1]
            self.state.append((1812433253 * (last ^ (last >> 30)) + i) & 0xFFFFFFFF)
        self.index = 624

    def bits(self):
        if self.index == 624:
            for i in range(624):
                y = (self.state[i] & 0x80000000) | (self.state[(i + 1) % 624] & 0x7FFFFFFF)
                self.state[i] = self.state[(i + 397) % 624] ^ (y >> 1) ^ (0x9908B0DF * (y & 1))
            self.index = 0
        y = self.state[self.index]
        self.index += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C5680
        y ^= (y << 15) & 0xEFC60000
        return y ^ (y >> 18)

    def uniform_float(self):
        """std::generate_canonical<float, 24>: one output."""
        return self.bits() / 2.0**32

    def uniform(self):
        """std::generate_canonical<double, 53>: two outputs, the first the low one."""
        low = self.bits()
        return (low + self.bits() * 2.0**32) / 2.0**64


class Normal:
    """std::normal_distribution of libstdc++: the polar method, which keeps every second value."""

    def __init__(self):
        self.saved = None

    def draw(self, engine):
        if self.saved is not None:
            value, self.saved = self.saved, None
            return value
        while True:
            x = 2 * engine.uniform() - 1
            y = 2 * engine.uniform() - 1
            square = x * x + y * y
            if 0 < square <= 1:
                break
        scale = math.sqrt(-2 * math.log(square) / square)
        self.saved = x * scale
        return y * scale


def replay(mix, sigma, jobs=JOBS, seed=1):
    """[(model, time in mean gaps)] of every request, in order."""
    engine, normal = MersenneTwister(seed), Normal()
    names = list(mix)
    bounds, total = [], 0.0
    for weight, _ in mix.values():
        total += weight
        bounds.append(total)
    time, arrivals = 0.0, []
    for _ in range(jobs):
        point = engine.uniform_float() * total
        model = next(name for name, bound in zip(names, bounds) if point < bound)
        time += math.exp(sigma * normal.draw(engine) - sigma * sigma / 2)
        arrivals.append((model, time))
    return arrivals
