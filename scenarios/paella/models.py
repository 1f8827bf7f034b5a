"""Kernel lists of the eight models as TVM fuses them, from their layer shapes.

TVM's lists for the artifact are not public, so these are plausible stand-ins, and marked so: one
kernel per convolution (activation, normalisation and addition fused into it), pooling and dense
layer. A thread computes 8 outputs, a block of 128 threads 1024; the time of a block is proportional
to the length of its reductions, plus a constant. What the proportionality is, per model, is fitted to
the model's isolated time.
"""

OUTPUTS_PER_BLOCK = 1024
THREADS, REGISTERS, SHARED = 128, 64, 8192
FIXED = 64  # reduction steps that a block's prologue and epilogue take


def conv(size, channels, reduction):
    return (size * size * channels, reduction)


def resnet(blocks, bottleneck):
    layers = [conv(112, 64, 147), conv(56, 64, 9)]
    width, size, last = 64, 56, 64
    for stage, count in enumerate(blocks):
        for block in range(count):
            if stage > 0 and block == 0:
                size //= 2
            out = width * (4 if bottleneck else 1)
            if bottleneck:
                layers += [conv(size, width, last), conv(size, width, 9 * width), conv(size, out, width)]
            else:
                layers += [conv(size, width, 9 * last), conv(size, width, 9 * width)]
            if block == 0 and last != out:
                layers.append(conv(size, out, last))
            last = out
        width *= 2
    return layers + [conv(1, last, 49), (1000, last), (1000, 3)]


def mobilenetv2():
    layers, last, size = [conv(112, 32, 27)], 32, 112
    for expand, out, count, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                       (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(count):
            inner = last * expand
            if expand > 1:
                layers.append(conv(size, inner, last))
            size = size // stride if i == 0 else size
            layers += [conv(size, inner, 9), conv(size, out, inner)]
            last = out
    return layers + [conv(7, 1280, 320), conv(1, 1280, 49), (1000, 1280), (1000, 3)]


def densenet121():
    layers, last, size = [conv(112, 64, 147), conv(56, 64, 9)], 64, 56
    for stage, count in enumerate([6, 12, 24, 16]):
        for _ in range(count):
            layers += [conv(size, last, 2), conv(size, 128, last), conv(size, 32, 9 * 128)]
            last += 32
        if stage < 3:
            last //= 2
            layers += [conv(size, last, 2 * last), conv(size // 2, last, 4)]
            size //= 2
    return layers + [conv(1, last, 49), (1000, last), (1000, 3)]


def squeezenet():
    layers, last = [conv(111, 64, 27), conv(55, 64, 9)], 64
    for size, squeeze, expand in [(55, 16, 64), (55, 16, 64), (27, 32, 128), (27, 32, 128),
                                  (13, 48, 192), (13, 48, 192), (13, 64, 256), (13, 64, 256)]:
        layers += [conv(size, squeeze, last), conv(size, expand, squeeze),
                   conv(size, expand, 9 * squeeze), conv(size, 2 * expand, 1)]
        last = 2 * expand
    return layers + [conv(27, 128, 9), conv(13, 256, 9), conv(13, 1000, last), (1000, 169), (1000, 3)]


def googlenet():
    layers = [conv(112, 64, 147), conv(56, 64, 9), conv(56, 64, 64), conv(56, 192, 576), conv(28, 192, 9)]
    last = 192
    for size, one, r3, c3, r5, c5, pool in [
            (28, 64, 96, 128, 16, 32, 32), (28, 128, 128, 192, 32, 96, 64), (14, 192, 96, 208, 16, 48, 64),
            (14, 160, 112, 224, 24, 64, 64), (14, 128, 128, 256, 24, 64, 64), (14, 112, 144, 288, 32, 64, 64),
            (14, 256, 160, 320, 32, 128, 128), (7, 256, 160, 320, 32, 128, 128), (7, 384, 192, 384, 48, 128, 128)]:
        layers += [conv(size, one, last), conv(size, r3, last), conv(size, c3, 9 * r3), conv(size, r5, last),
                   conv(size, c5, 9 * r5), conv(size, last, 9), conv(size, pool, last)]
        last = one + c3 + c5 + pool
        layers.append(conv(size, last, 1))
    return layers + [conv(14, 480, 9), conv(7, 832, 9), conv(1, last, 49), (1000, last), (1000, 3)]


def inceptionv3():
    # At 224 x 224, as the artifact ran it.
    layers = [conv(111, 32, 27), conv(109, 32, 288), conv(109, 64, 288), conv(54, 64, 9), conv(54, 80, 64),
              conv(52, 192, 720), conv(25, 192, 9)]
    last = 192
    for pool in (32, 64, 64):
        layers += [conv(25, 64, last), conv(25, 48, last), conv(25, 64, 25 * 48), conv(25, 64, last),
                   conv(25, 96, 576), conv(25, 96, 864), conv(25, last, 9), conv(25, pool, last)]
        last = 224 + pool
        layers.append(conv(25, last, 1))
    layers += [conv(12, 384, 9 * last), conv(25, 64, last), conv(25, 96, 576), conv(12, 96, 864), conv(12, last, 9)]
    last = 768
    for c in (128, 160, 160, 192):
        layers += [conv(12, 192, last), conv(12, c, last), conv(12, c, 7 * c), conv(12, 192, 7 * c),
                   conv(12, c, last), conv(12, c, 7 * c), conv(12, c, 7 * c), conv(12, c, 7 * c),
                   conv(12, 192, 7 * c), conv(12, last, 9), conv(12, 192, last), conv(12, last, 1)]
    layers += [conv(12, 192, last), conv(5, 320, 1728), conv(12, 192, last), conv(12, 192, 1344),
               conv(12, 192, 1344), conv(5, 192, 1728), conv(5, last, 9)]
    last = 1280
    for _ in range(2):
        layers += [conv(5, 320, last), conv(5, 384, last), conv(5, 384, 1152), conv(5, 384, 1152),
                   conv(5, 448, last), conv(5, 384, 4032), conv(5, 384, 1152), conv(5, 384, 1152),
                   conv(5, last, 9), conv(5, 192, last)]
        last = 2048
        layers.append(conv(5, last, 1))
    return layers + [conv(1, last, 25), (1000, last), (1000, 3)]


LAYERS = {
    "mobilenetv2": mobilenetv2(),
    "densenet121": densenet121(),
    "googlenet": googlenet(),
    "inceptionv3": inceptionv3(),
    "resnet18": resnet([2, 2, 2, 2], False),
    "resnet34": resnet([3, 4, 6, 3], False),
    "resnet50": resnet([3, 4, 6, 3], True),
    "squeezenet1.1": squeezenet(),
}


def kernels(model, total_us, sms, per_sm):
    """The kernels of one request, whose times alone add up to total_us on that GPU."""
    shapes = []
    for outputs, reduction in LAYERS[model]:
        grid = -(-outputs // OUTPUTS_PER_BLOCK)
        waves = -(-grid // (sms * per_sm))
        shapes.append((grid, waves * (reduction + FIXED)))
    scale = total_us / sum(weight for _, weight in shapes)
    return [{"batch": 1, "name": f"layer {i}", "grid": grid, "threads": THREADS, "registers": REGISTERS,
             "shared_memory": SHARED, "duration_us": round(weight * scale, 3)}
            for i, (grid, weight) in enumerate(shapes)]
