#!/usr/bin/python3
"""Writes models for the engine's runner "torch": TorchScript files and a models.json about them.

Weights are random with a fixed seed: latency does not depend on their values, and nothing is
downloaded. Needs PyTorch and torchvision, 1.13 to 2.x; on Debian and Ubuntu:
scripts/install_dependencies.sh --engine

    scripts/export_models.py --out models                      every model below
    scripts/export_models.py --out models resnet50 mlp_small   only these
    scripts/export_models.py --list                            what there is

A folder that holds models already gets the new ones added.
"""

import argparse
import json
import os
import pathlib
import sys

IMAGE = [3, 224, 224]


def image_model(name, **options):
    """A classifier of torchvision with random weights."""

    def make():
        import torchvision

        try:
            return getattr(torchvision.models, name)(weights=None, **options)
        except TypeError:  # before torchvision 0.13
            return getattr(torchvision.models, name)(pretrained=False, **options)

    return {"make": make, "kind": "cnn", "input": IMAGE, "dtype": "float32"}


def perceptron(*widths):
    """Linear layers with ReLU between them, from an input of widths[0]."""

    def make():
        from torch import nn

        layers = []
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            layers += ([nn.ReLU()] if i > 0 else []) + [nn.Linear(inputs, outputs)]
        return nn.Sequential(*layers)

    return {"make": make, "kind": "mlp", "input": [widths[0]], "dtype": "float32"}


def transformer(words, length, width, heads, layers):
    """An encoder of the pre-norm kind over a sequence of word numbers."""

    def make():
        import torch
        from torch import nn

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm = nn.LayerNorm(width)
                self.qkv = nn.Linear(width, 3 * width)
                self.join = nn.Linear(width, width)
                self.feed = nn.Sequential(
                    nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(),
                    nn.Linear(4 * width, width))

            def forward(self, x):
                parts = self.qkv(self.norm(x)).reshape(-1, length, 3, heads, width // heads)
                query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
                weight = (query @ key.transpose(-2, -1)) * (width // heads) ** -0.5
                mixed = (weight.softmax(-1) @ value).transpose(1, 2).reshape(-1, length, width)
                x = x + self.join(mixed)
                return x + self.feed(x)

        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = nn.Embedding(words, width)
                self.place = nn.Parameter(torch.randn(length, width))
                self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
                self.head = nn.Linear(width, 2)

            def forward(self, tokens):
                return self.head(self.blocks(self.embed(tokens) + self.place).mean(1))

        return Encoder()

    return {"make": make, "kind": "transformer", "input": [length], "dtype": "int64",
            "values_below": words}


MODELS = {
    "mobilenet_v2": image_model("mobilenet_v2"),
    "resnet18": image_model("resnet18"),
    "resnet50": image_model("resnet50"),
    "googlenet": image_model("googlenet", aux_logits=False, init_weights=False),
    "densenet121": image_model("densenet121"),
    "vgg16": image_model("vgg16"),
    # Bound by the reading of its weights, so that batches gain: an image, flattened, and 74 M weights.
    "mlp_large": perceptron(3 * 224 * 224, 256, 4096, 4096, 4096),
    "mlp_small": perceptron(512, 1024, 1024, 512),
    "transformer_small": transformer(words=8192, length=128, width=256, heads=4, layers=4),
}


def example(torch, model, batch):
    """An input batch of the model's shape."""
    shape = [batch] + model["input"]
    if model["dtype"] == "int64":
        return torch.randint(0, model["values_below"], shape)
    return torch.rand(shape)


def export(name, seed, folder):
    """Writes NAME.pt; returns its entry of models.json."""
    import torch

    model = MODELS[name]
    torch.manual_seed(seed)
    module = model["make"]().eval()
    with torch.no_grad():
        # Two items: a batch of one would be traced as a constant by some layers.
        traced = torch.jit.trace(module, example(torch, model, 2), check_trace=False)
    path = folder / f"{name}.pt"
    temporary = folder / f"{name}.pt.tmp{os.getpid()}"
    traced.save(str(temporary))
    temporary.rename(path)
    entry = {"name": name, "file": path.name}
    entry.update({key: model[key] for key in ("kind", "input", "dtype", "values_below")
                  if key in model})
    entry["parameters"] = sum(p.numel() for p in module.parameters())
    return entry


def write_manifest(folder, seed, entries):
    """Adds the entries to the folder's models.json, in place of older ones of the same names."""
    import torch

    path = folder / "models.json"
    known = {}
    if path.exists():
        known = {model["name"]: model for model in json.loads(path.read_text())["models"]}
    known.update({entry["name"]: entry for entry in entries})
    manifest = {"schema": 1, "framework": f"torch {torch.__version__}", "seed": seed,
                "models": sorted(known.values(), key=lambda model: model["name"])}
    temporary = folder / f"models.json.tmp{os.getpid()}"
    temporary.write_text(json.dumps(manifest, indent=1) + "\n")
    temporary.rename(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="folder to write into")
    parser.add_argument("--seed", type=int, default=1, help="of the weights")
    parser.add_argument("--list", action="store_true", help="print the models' names")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(MODELS))
        return 0
    unknown = [name for name in arguments.models if name not in MODELS]
    if unknown or arguments.out is None:
        parser.error(f"unknown models: {', '.join(unknown)}; known: {', '.join(MODELS)}"
                     if unknown else "--out is missing")
    arguments.out.mkdir(parents=True, exist_ok=True)
    entries = []
    for name in arguments.models or MODELS:
        entries.append(export(name, arguments.seed, arguments.out))
        print(f"{name}: {entries[-1]['parameters']} parameters")
    write_manifest(arguments.out, arguments.seed, entries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
