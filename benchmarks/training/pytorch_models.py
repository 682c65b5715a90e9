"""The models of the training benchmark in official PyTorch, as a PyTorch user would write them for speed.

GPT with pre-norm, rotary positions, no biases and a tied embedding; MADE with one hidden layer; one LSTM layer between an embedding and
its transpose; PixelCNN of residual layers; WaveNet of gated, dilated layers; an LSTM over pixels. Where a model can be written in several
forms (memory formats, say) `forms` lists them, and the worker keeps the fastest.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Gpt(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.heads, width, layers = case["heads"], case["width"], case["layers"]
        self.embedding = nn.Embedding(case["values"] + 1, width)
        linear = lambda n, m: nn.Linear(n, m, bias=False)  # noqa: E731
        norm = lambda: nn.LayerNorm(width, bias=False)  # noqa: E731
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"n1": norm(), "qkv": linear(width, 3 * width), "out": linear(width, width), "n2": norm(), "up": linear(width, 4 * width), "down": linear(4 * width, width)}) for _ in range(layers)
        )
        self.norm = norm()
        self.values = case["values"]
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if "out" in name or "down" in name else 0.02)
        features = width // self.heads
        angles = torch.arange(case["context"])[:, None] * 10_000 ** (-torch.arange(0, features, 2) / features)[None, :]
        self.register_buffer("cosine", angles.cos())
        self.register_buffer("sine", angles.sin())

    def turn(self, x):
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * self.cosine - second * self.sine, first * self.sine + second * self.cosine], dim=-1)

    def forward(self, before, x):
        batch, length = x.shape
        h = self.embedding(before)
        for block in self.blocks:
            q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in block["qkv"](block["n1"](h)).chunk(3, dim=-1))
            attended = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v, is_causal=True)
            h = h + block["out"](attended.transpose(1, 2).reshape(batch, length, -1))
            h = h + block["down"](F.gelu(block["up"](block["n2"](h))))
        logits = self.norm(h) @ self.embedding.weight[: self.values].T
        return F.cross_entropy(logits.view(-1, self.values), x.reshape(-1))


class Made(nn.Module):
    def __init__(self, case):
        super().__init__()
        inputs, hidden = case["inputs"], case["hidden"]
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, inputs)
        degree, position = torch.arange(hidden) % (inputs - 1), torch.arange(inputs)
        self.register_buffer("mask1", (position[None, :] <= degree[:, None]).float())
        self.register_buffer("mask2", (degree[None, :] < position[:, None]).float())

    def forward(self, before, x):
        h = F.relu(F.linear(x, self.first.weight * self.mask1, self.first.bias))
        logits = F.linear(h, self.second.weight * self.mask2, self.second.bias)
        return F.binary_cross_entropy_with_logits(logits, x)


class Lstm(nn.Module):
    def __init__(self, case):
        super().__init__()
        width = case["width"]
        self.embedding = nn.Embedding(case["values"] + 1, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.values = case["values"]

    def forward(self, before, x):
        h, _ = self.lstm(self.embedding(before))
        logits = h @ self.embedding.weight[: self.values].T
        return F.cross_entropy(logits.view(-1, self.values), x.reshape(-1))


def causal_kernel(rows, columns, outputs, inputs, excludes_center):
    """The live rows of a masked kernel, and the mask of its last row: what lies right of the centre is not read."""
    weight = torch.randn(outputs, inputs, (rows + 1) // 2, columns) / math.sqrt(inputs * rows * columns)
    mask = torch.ones(weight.shape[2:])
    mask[-1, columns // 2 + (0 if excludes_center else 1) :] = 0
    return nn.Parameter(weight), mask


class PixelCnn(nn.Module):
    """h = relu(first kernel), then h + relu(kernel): rows below the centre are cropped away. The input is a pixel in [-1, 1] and a 1."""

    forms = ("channels last, padded before", "channels last, cropped after", "channels first, padded before", "channels first, cropped after")

    def __init__(self, case, form):
        super().__init__()
        self.side, width = case["side"], case["width"]
        kernels = [causal_kernel(7, 7, width, 2, True)] + [causal_kernel(3, 3, width, width, False) for _ in range(case["layers"] - 1)]
        self.format = torch.channels_last if "channels last" in form else torch.contiguous_format
        self.pads = "padded" in form
        self.weights = nn.ParameterList(nn.Parameter(weight.contiguous(memory_format=self.format)) for weight, _ in kernels)
        self.biases = nn.ParameterList(torch.zeros(width) for _ in kernels)
        for layer, (_, mask) in enumerate(kernels):
            self.register_buffer(f"mask{layer}", mask)
        self.head = nn.Conv2d(width, 1, 1)

    def convolve(self, h, layer):
        weight = self.weights[layer] * getattr(self, f"mask{layer}")
        up, across = weight.shape[2] - 1, weight.shape[3] // 2
        if self.pads:
            return F.conv2d(F.pad(h, (across, across, up, 0)), weight, self.biases[layer])
        return F.conv2d(h, weight, self.biases[layer], padding=(up, across))[:, :, : self.side]

    def forward(self, before, x):
        image = x.view(-1, 1, self.side, self.side)
        h = torch.cat([2 * image - 1, torch.ones_like(image)], dim=1).contiguous(memory_format=self.format)
        h = F.relu(self.convolve(h, 0))
        for layer in range(1, len(self.weights)):
            h = h + F.relu(self.convolve(h, layer))
        return F.binary_cross_entropy_with_logits(self.head(h), image)


class PixelLstm(nn.Module):
    """An LSTM over pixels: the pixel before, or the start, as one of three."""

    def __init__(self, case):
        super().__init__()
        self.lstm = nn.LSTM(3, case["width"], batch_first=True)
        self.head = nn.Linear(case["width"], 1)

    def forward(self, before, x):
        previous = F.pad(x[:, :-1].long(), (1, 0), value=2)
        h, _ = self.lstm(F.one_hot(previous, 3).float())
        return F.binary_cross_entropy_with_logits(self.head(h).squeeze(2), x)


class WaveNet(nn.Module):
    """Two taps a layer, gated, residual, and features of all layers. As convolutions over [B, W, T], or as products over [B, T, W]."""

    forms = ("convolutions", "products")

    def __init__(self, case, form):
        super().__init__()
        width, values, layers = case["width"], case["values"], case["layers"]
        self.convolves, self.values = form == "convolutions", values
        self.dilations = [2**layer for layer in range(layers)]
        self.embedding = nn.Embedding(values + 1, width)
        linear = (lambda n, m, bias=True: nn.Conv1d(n, m, 1, bias=bias)) if self.convolves else nn.Linear  # noqa: E731
        self.taps = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=d) if self.convolves else nn.Linear(2 * width, 2 * width) for d in self.dilations)
        self.outputs = nn.ModuleList(linear(width, width, bias=False) for _ in range(layers - 1))
        self.skip, self.features, self.head = linear(layers * width, width), linear(width, width), linear(width, values)

    def forward(self, before, x):
        h = self.embedding(before)
        h = h.transpose(1, 2).contiguous() if self.convolves else h
        axis = 1 if self.convolves else 2
        parts = []
        for layer, (taps, dilation) in enumerate(zip(self.taps, self.dilations)):
            if self.convolves:
                z = taps(F.pad(h, (dilation, 0)))
            else:
                z = taps(torch.cat([F.pad(h, (0, 0, dilation, 0))[:, : h.shape[1]], h], dim=2))
            value, gate = z.chunk(2, dim=axis)
            z = torch.tanh(value) * torch.sigmoid(gate)
            parts.append(z)
            if layer < len(self.outputs):
                h = h + self.outputs[layer](z)
        h = F.relu(self.features(F.relu(self.skip(torch.cat(parts, dim=axis)))))
        logits = self.head(h)
        if self.convolves:
            return F.cross_entropy(logits, x)
        return F.cross_entropy(logits.reshape(-1, self.values), x.reshape(-1))


models = {"gpt": Gpt, "made": Made, "lstm": Lstm, "pixelcnn": PixelCnn, "pixel lstm": PixelLstm, "wavenet": WaveNet}
