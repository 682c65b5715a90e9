"""The PyTorch side of the training benchmark: reads one request a line, answers with one JSON line.

    {"case": {...}, "threads": 1, "compile": false}     builds the model        -> {"parameters": n, "setupSeconds": s}
    {"steps": 20}                                        makes 20 updates        -> {"ms": [...], "processorMs": mean, "nats": last loss}
    {"gemm": 1024}                                       one square product      -> {"gflops": best rate}
    {"end": true}                                        peak memory, then exit  -> {"peakMegabytes": m}

The models stand in pytorch_models.py. Official PyTorch, float32, CPU.
"""

import json
import resource
import sys
import time

import torch
from pytorch_models import models
from torch import nn


def data(case):
    generator = torch.Generator().manual_seed(1)
    if "inputs" in case:
        x = torch.bernoulli(torch.full((case["batch"], case["inputs"]), 0.3), generator=generator)
        return x, x
    length = case.get("context") or case["steps"]
    tokens = torch.randint(case["values"], (case["batch"], length + 1), generator=generator)
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def update_of(model, case, compiles):
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    before, x = data(case)
    run = torch.compile(model) if compiles else model

    def update():
        optimizer.zero_grad(set_to_none=True)
        loss = run(before, x)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss

    update()
    return update


def seconds(update):
    begun = time.perf_counter()
    update()
    return time.perf_counter() - begun


def build(request):
    """The model in its fastest form."""
    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    case = request["case"]
    model = models[case["kind"]]
    forms = getattr(model, "forms", (None,))
    tried = []
    for form in forms:
        begun = time.perf_counter()
        built = model(case) if form is None else model(case, form)
        update = update_of(built, case, request.get("compile"))
        described = {"parameters": sum(p.numel() for p in built.parameters()), "setupSeconds": time.perf_counter() - begun, "torch": torch.__version__, "form": form}
        tried.append((min(seconds(update) for _ in range(5)) if len(forms) > 1 else 0, update, described))
    return min(tried, key=lambda each: each[0])[1:]


def answer(value):
    print(json.dumps(value), flush=True)


update = None
for line in sys.stdin:
    request = json.loads(line)
    if "case" in request:
        update, described = build(request)
        answer(described)
    elif "steps" in request:
        times, processor = [], time.process_time()
        for _ in range(request["steps"]):
            begun = time.perf_counter()
            loss = update()
            times.append((time.perf_counter() - begun) * 1000)
        answer({"ms": times, "processorMs": (time.process_time() - processor) * 1000 / request["steps"], "nats": loss.item()})
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
