"""The PyTorch side of the audio benchmark: reads one request a line, answers with one JSON line.

    {"weights": "file.safetensors", "dilations": [...], "width": W}     loads the model    -> {"torch": version}
    {"draw": {"uniforms": [[...]]}}                                      a row each stream  -> {"values": [[...]], "seconds": s, "processorSeconds": s}
    {"score": [[...]]}                                                   nats of the values -> {"nats": [[...]]}

The same WaveNet with the same weights, one step after the other, with a queue for each layer (fast-wavenet): official PyTorch, eager,
float32, one thread. A draw is by inverse CDF from the same uniforms.
"""

import json
import struct
import sys
import time

import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)
torch.set_flush_denormal(True)


def read_weights(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body = bytearray(content[8 + length :])
    return {name: torch.frombuffer(body[slice(*entry["data_offsets"])], dtype=torch.float32).reshape(entry["shape"]).clone() for name, entry in header.items()}


class Stepper:
    def __init__(self, model, streams):
        self.model, self.time = model, 0
        self.queues = [torch.zeros(dilation, streams, model.width) for dilation in model.dilations]

    def logits(self, indices):
        model = self.model
        h = model.embedding[indices]
        skips = []
        for queue, dilation, (weight, bias, output) in zip(self.queues, model.dilations, model.layers):
            place = self.time % dilation
            sums = torch.addmm(bias, torch.cat([queue[place], h], 1), weight)
            queue[place] = h
            value, gate = sums.chunk(2, 1)
            z = torch.tanh(value) * torch.sigmoid(gate)
            skips.append(z)
            if output is not None:
                h = torch.addmm(h, z, output)
        self.time += 1
        features = torch.relu(torch.addmm(model.skip_bias, torch.cat(skips, 1), model.skip))
        return torch.relu(torch.addmm(model.features_bias, features, model.features)) @ model.head


class Model:
    def __init__(self, request):
        weights = read_weights(request["weights"])
        self.width, self.dilations = request["width"], request["dilations"]
        self.embedding = weights["network/embedding"]
        self.layers = []
        for l in range(len(self.dilations)):
            name = f"network/layer{l}/"
            self.layers.append((weights[name + "weight"].reshape(2 * self.width, -1), weights[name + "bias"], weights.get(name + "output")))
        self.skip, self.skip_bias = weights["network/skip/weight"], weights["network/skip/bias"]
        self.features, self.features_bias = weights["network/features/weight"], weights["network/features/bias"]
        self.head = weights["head/weight"]

    def run(self, uniforms=None, given=None):
        streams, steps = (uniforms if given is None else given).shape
        stepper = Stepper(self, streams)
        indices = torch.full((streams,), self.embedding.shape[0] - 1)
        values, nats = [], []
        for step in range(steps):
            logits = stepper.logits(indices)
            if given is None:
                cumulative = torch.softmax(logits, 1).cumsum(1)
                indices = torch.searchsorted(cumulative, uniforms[:, step : step + 1] * cumulative[:, -1:], right=True)[:, 0]
                values.append(indices)
            else:
                indices = given[:, step]
                nats.append(-torch.log_softmax(logits, 1).gather(1, indices[:, None])[:, 0])
        return torch.stack(values or nats, 1)


model = None
for line in sys.stdin:
    request = json.loads(line)
    if "weights" in request:
        model = Model(request)
        answer = {"torch": torch.__version__}
    elif "draw" in request:
        uniforms = torch.tensor(request["draw"]["uniforms"])
        began, processor = time.perf_counter(), time.process_time()
        values = model.run(uniforms=uniforms)
        answer = {"values": values.tolist(), "seconds": time.perf_counter() - began, "processorSeconds": time.process_time() - processor}
    else:
        answer = {"nats": model.run(given=torch.tensor(request["score"])).tolist()}
    print(json.dumps(answer), flush=True)
