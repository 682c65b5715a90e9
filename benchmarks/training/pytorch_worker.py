"""The PyTorch side of the training benchmark: reads one request a line, answers with one JSON line.

    {"case": {...}, "threads": 1, "compile": false}     builds the model        -> {"parameters": n, "setupSeconds": s}
    {"steps": 20}                                        makes 20 updates        -> {"ms": [...], "nats": last loss}
    {"gemm": 1024}                                       one square product      -> {"gflops": best rate}
    {"end": true}                                        peak memory, then exit  -> {"peakMegabytes": m}

Architectures as in chainrule's preset: pre-norm GPT with rotary positions, no biases, tied embedding; MADE with one hidden
layer; one LSTM layer between an embedding and its transpose. Official PyTorch, float32, CPU.
"""

import json
import math
import resource
import sys
import time

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


def data(case):
    generator = torch.Generator().manual_seed(1)
    if case["kind"] == "made":
        x = torch.bernoulli(torch.full((case["batch"], case["inputs"]), 0.3), generator=generator)
        return x, x
    length = case.get("context") or case["steps"]
    tokens = torch.randint(case["values"], (case["batch"], length + 1), generator=generator)
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def build(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    begun = time.perf_counter()
    case = request["case"]
    model = {"gpt": Gpt, "made": Made, "lstm": Lstm}[case["kind"]](case)
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    before, x = data(case)
    run = torch.compile(model) if request.get("compile") else model

    def update():
        optimizer.zero_grad(set_to_none=True)
        loss = run(before, x)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss

    update()
    return update, {"parameters": sum(p.numel() for p in parameters), "setupSeconds": time.perf_counter() - begun, "torch": torch.__version__}


def answer(value):
    print(json.dumps(value), flush=True)


update = None
for line in sys.stdin:
    request = json.loads(line)
    if "case" in request:
        update, described = build(request)
        answer(described)
    elif "steps" in request:
        times = []
        for _ in range(request["steps"]):
            begun = time.perf_counter()
            loss = update()
            times.append((time.perf_counter() - begun) * 1000)
        answer({"ms": times, "nats": loss.item()})
    elif "gemm" in request:
        size = request["gemm"]
        a, b = torch.rand(size, size), torch.rand(size, size)
        best = 0.0
        for _ in range(8):
            begun = time.perf_counter()
            a @ b
            best = max(best, 2 * size**3 / (time.perf_counter() - begun) / 1e9)
        answer({"gflops": best})
    else:
        answer({"peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
        break
