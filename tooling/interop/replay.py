#!/usr/bin/env python3
"""
Replays an exported model in Python, with onnxruntime, onnx and numpy and none of chainrule's code: the twin of its runtime.

    replay.py MODEL SEQUENCES [--single FILE] [--noise VECTOR]

MODEL is the directory of an exported model. SEQUENCES is a JSON file, {"sequences": [sequence, ...]}; a sequence is
what a sampler returned for one sample, everything in the order of generation and flat:

    seed, sample    the address of its noise;  temperature  (1 where absent);  topK, topP, minP, repetitionPenalty  (off where absent)
    values, drawn   n variables x C components;  nats, distance  n variables
    label, or control (n variables x K numbers)   of a model with a condition

FILE is the same model exported as a single file. VECTOR is a list of {seed, purpose, sample, variable, component, k, uniform}. Prints one JSON line for each check; the exit
code is 1 where one fails, 2 where the arguments are wrong.

The replay law: fed with the values that another sampler drew, a sampler finds each uniform within 1e-5 of the
CDF interval of the value kept. Values drawn freely are equal up to the first variable that is not inside.

Axes: B batch (1 here), n variables, S steps, C components, K uniforms per component.
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

NATS_TOLERANCE = 1e-4
DISTANCE_TOLERANCE = 1e-5
REAL_TOLERANCE = 1e-4
GRAPHS = ("score", "step", "sample")
FILTERS_OFF = {"topK": np.int32(0), "topP": np.float32(1), "minP": np.float32(0), "repetitionPenalty": np.float32(1)}
PURPOSES = {"sampling": 0, "batches": 1, "initialization": 2, "order": 3, "dropout": 4}


def printable(value):
    """NaN and the infinities as text: JSON has no such numbers."""
    if isinstance(value, dict):
        return {key: printable(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


class Report:
    """Prints what was checked and remembers whether all of it was right."""

    def __init__(self):
        self.failed = 0

    def check(self, name, passed, **details):
        self.failed += not passed
        print(json.dumps(printable({"check": name, "passed": bool(passed), **details}), allow_nan=False), flush=True)

    def attempt(self, name, action):
        """Runs one check; an exception is its failure. `action` returns (passed, details)."""
        try:
            passed, details = action()
        except Exception as error:
            passed, details = False, {"error": f"{type(error).__name__}: {error}"[:2000]}
        self.check(name, passed, **details)


# ---------------------------------------------------------------- noise

def philox(counter, key):
    """
    Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw 2011, section 3.3, table 2), on arrays of any one shape.
    Each round: (L0, R0, L1, R1) -> (hi(M1 L1) ^ R0 ^ k0, lo(M1 L1), hi(M0 L0) ^ R1 ^ k1, lo(M0 L0)); the key moves on by Weyl's sequence.
    """
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    x0, x1, x2, x3 = (np.asarray(word, dtype=np.uint64) for word in counter)
    k0, k1 = (np.asarray(word, dtype=np.uint64) for word in key)
    for _ in range(10):
        product0 = np.uint64(0xD2511F53) * x0
        product1 = np.uint64(0xCD9E8D57) * x2
        x0, x1, x2, x3 = (product1 >> half) ^ x1 ^ k0, product1 & low, (product0 >> half) ^ x3 ^ k1, product0 & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return x0, x1, x2, x3


def uniforms(seed, purpose, sample, variable, component, k):
    """(w >> 9 + 1/2) / 2^23, w the first word; arguments broadcast."""
    words = np.broadcast_arrays(sample, variable, component, k)
    return ((philox(words, (seed, PURPOSES[purpose]))[0] >> np.uint64(9)).astype(np.float64) + 0.5) / 2**23


def check_known_answers():
    """The vectors that the authors of Philox publish with their library (Random123, kat_vectors)."""
    known = [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0), (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ]
    wrong = [counter for counter, key, words in known if tuple(int(word) for word in philox(counter, key)) != words]
    return not wrong, {"vectors": len(known), "wrong": len(wrong)}


def check_vector(path):
    entries = json.loads(Path(path).read_text())
    differences = [
        abs(float(uniforms(e["seed"], e["purpose"], e["sample"], e["variable"], e["component"], e["k"])) - e["uniform"]) for e in entries
    ]
    return len(entries) > 0 and max(differences) == 0, {"entries": len(entries), "unequal": sum(d > 0 for d in differences)}


# ---------------------------------------------------------------- files and graphs

def check_files(directory, manifest):
    wrong = []
    for name, listed in manifest["files"].items():
        path = directory / name
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        if data is None or len(data) != listed["bytes"] or hashlib.sha256(data).hexdigest() != listed["sha256"]:
            wrong.append(name)
    return not wrong, {"files": len(manifest["files"]), "wrong": wrong}


def check_graph(path):
    onnx.checker.check_model(str(path), full_check=True)
    return True, {}


def nodes_of(graph):
    """All nodes, those of inner graphs too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from nodes_of(inner)


def check_domain(path):
    model = onnx.load(str(path), load_external_data=False)
    nodes = list(nodes_of(model.graph))
    domains = {node.domain for node in nodes} | {entry.domain for entry in model.opset_import}
    foreign = sorted(domains - {"", "ai.onnx"})
    unknown = sorted({node.op_type for node in nodes if not onnx.defs.has(node.op_type)})
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    passed = len(nodes) > 0 and not foreign and not unknown and not model.functions
    return passed, {"opset": versions, "ir": model.ir_version, "nodes": len(nodes), "foreign": foreign, "unknown": unknown}


def signature(graph, manifest):
    """Names of inputs and outputs that the format promises."""
    state = [tensor["name"] for tensor in manifest["state"]]
    filters = manifest.get("samplingFilters", []) if graph != "score" else []
    told = condition_input(manifest)
    carried = [f"state.{name}" for name in state] + (["seen"] if "repetitionPenalty" in filters else []), [f"next.{name}" for name in state] + (["next.seen"] if "repetitionPenalty" in filters else [])
    if graph == "score":
        if manifest["domain"]["length"] != "variable":
            return {"x", *told}, {"nats"}
        return {"x", *told, "previous", "isStart", *carried[0]}, {"nats", *carried[1]}
    inputs = {*told, "previous", "isStart", "uniforms", "temperature", "given", "isGiven", *filters, *carried[0]}
    return inputs, {"value" if graph == "step" else "values", "drawn", "distance", "nats", *carried[1]}


def condition_input(manifest):
    """The name of the input that says the condition, none where there is none."""
    return {"label": {"label"}, "controlSequence": {"control"}}.get(manifest.get("condition", {}).get("name"), set())


def check_signature(path, graph, manifest):
    model = onnx.load(str(path), load_external_data=False)
    inputs, outputs = signature(graph, manifest)
    has_inputs = {value.name for value in model.graph.input}
    has_outputs = {value.name for value in model.graph.output}
    passed = has_inputs == inputs and outputs <= has_outputs <= outputs | {"logProbabilities"}
    return passed, {"inputs": sorted(has_inputs ^ inputs), "outputs": sorted(has_outputs ^ outputs)}


def check_places(path, manifest):
    """Weights lie in the file of weights, one place each, whatever graph reads them."""
    model = onnx.load(str(path), load_external_data=False)
    limit = manifest["files"]["weights.safetensors"]["bytes"]
    external = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    places = [{entry.key: entry.value for entry in tensor.external_data} for tensor in external]
    wrong = [t.name for t, p in zip(external, places) if p.get("location") != "weights.safetensors" or int(p["offset"]) + int(p["length"]) > limit]
    spans = {(p.get("offset"), p.get("length")) for p in places}
    return not wrong and len(spans) == len(places), {"weights": len(external), "wrong": wrong, "inline": len(model.graph.initializer) - len(external)}


def check_metadata(path, manifest):
    """The single file describes itself as the directory does, but for when it was exported."""
    metadata = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
    described = json.loads(metadata["chainrule.model.json"])
    different = [key for key in {*described, *manifest} - {"card"} if described.get(key) != manifest.get(key)]
    return not different, {"different": different, "keys": sorted(metadata)}


# ---------------------------------------------------------------- the runtime's twin

class Model:
    """The graphs of an exported model, run by onnxruntime on one thread; batch 1."""

    def __init__(self, paths, manifest):
        self.manifest = manifest
        self.components = manifest["domain"]["components"]
        self.type = np.float32 if manifest["domain"]["values"] == "real" else np.int32
        self.is_variable = manifest["domain"]["length"] == "variable"
        self.end = manifest["domain"].get("end")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.inter_op_num_threads = 1
        self.sessions = {name: onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"]) for name, path in paths.items()}

    def run(self, graph, feeds):
        names = [output.name for output in self.sessions[graph].get_outputs()]
        return dict(zip(names, self.sessions[graph].run(names, feeds)))

    def differ(self, a, b):
        """Where values are not the same; real ones but for rounding."""
        return np.abs(a - b) > (REAL_TOLERANCE if self.type is np.float32 else 0)

    def position(self, ranks):
        """The position of each rank, in the noise and in x."""
        return ranks if self.is_variable else np.asarray(self.manifest["order"]["permutation"])[ranks]

    def beginning(self):
        """The inputs before the first variable: state of zeros with a past of 0."""
        sizes = {"batch": 1, "past": 0}
        state = {f"state.{t['name']}": np.zeros([sizes.get(axis, axis) for axis in t["shape"]], t["type"]) for t in self.manifest["state"]}
        return {"previous": np.zeros([1, self.components], self.type), "isStart": np.ones([1], bool), **state}

    def filters(self, sequence):
        """The inputs of sampling filters, for a model whose head knows them, before the first variable."""
        if "samplingFilters" not in self.manifest:
            return {}
        settings = {name: np.full([1], sequence.get(name, FILTERS_OFF[name]), FILTERS_OFF[name].dtype) for name in self.manifest["samplingFilters"]}
        return {**settings, **({"seen": np.zeros([1, self.manifest["domain"]["values"]], bool)} if "repetitionPenalty" in settings else {})}

    def after(self, outputs, last):
        """The inputs after a run: its state, and the last variable as it was kept."""
        state = {f"state.{t['name']}": outputs[f"next.{t['name']}"] for t in self.manifest["state"]}
        return {"previous": np.ascontiguousarray(last), "isStart": np.zeros([1], bool), **state}

    def condition(self, sequence, ranks):
        """The inputs that say the condition of these variables, in the order that `ranks` has; a label is that of all."""
        options = self.manifest.get("condition", {}).get("options", {})
        if "label" in sequence:
            return {"label": np.full([1], sequence["label"], np.int32)}
        if "control" not in sequence:
            return {}
        if "values" in options:
            return {"control": np.asarray(sequence["control"], np.int32)[None, ranks]}
        return {"control": np.asarray(sequence["control"], np.float32).reshape(-1, options["channels"])[None, ranks]}

    def score(self, sequence, values, chunk):
        """values [n, C] in the order of generation -> nats [n], the same; a variable length in chunks with the state carried."""
        if not self.is_variable:
            by_position = np.empty_like(values)
            by_position[self.position(np.arange(len(values)))] = values
            told = self.condition(sequence, np.argsort(self.position(np.arange(len(values)))))
            return self.run("score", {"x": by_position[None], **told})["nats"][0][self.position(np.arange(len(values)))]
        cursor, nats = self.beginning(), []
        for start in range(0, len(values), chunk):
            x = values[None, start : start + chunk]
            outputs = self.run("score", {**cursor, **self.condition(sequence, slice(start, start + chunk)), "x": x})
            nats.append(outputs["nats"][0])
            cursor = self.after(outputs, x[:, -1])
        return np.concatenate(nats)

    def noise(self, sequence, n):
        """The uniforms of a sequence in the order of generation, [1, n, C, K]."""
        variable = self.position(np.arange(n))[:, None, None]
        component = np.arange(self.components)[None, :, None]
        k = np.arange(self.manifest["uniformsPerComponent"])[None, None, :]
        return uniforms(sequence["seed"], "sampling", sequence["sample"], variable, component, k).astype(np.float32)[None]

    def sample(self, sequence, values, is_given, chunk):
        """Follows `values` where given, draws the others; sample.onnx on `chunk` variables a run, or step.onnx where chunk is 0."""
        n = len(values)
        noise = self.noise(sequence, n)
        temperature = np.full([1], sequence.get("temperature", 1), np.float32)
        filters, cursor, parts = self.filters(sequence), self.beginning(), []
        for start in range(0, n, max(chunk, 1)):
            part = slice(start, start + max(chunk, 1))
            inputs = {"uniforms": noise[:, part], "given": values[None, part], "isGiven": is_given[None, part], **self.condition(sequence, part)}
            if chunk == 0:
                inputs = {name: value if name == "label" else value[:, 0] for name, value in inputs.items()}
            inputs = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
            outputs = self.run("sample" if chunk else "step", {**cursor, **inputs, **filters, "temperature": temperature})
            if chunk == 0:
                outputs.update({name: outputs[old][:, None] for name, old in (("values", "value"), ("drawn", "drawn"), ("distance", "distance"), ("nats", "nats"))})
            cursor = self.after(outputs, outputs["values"][:, -1])
            if "seen" in filters:
                filters["seen"] = outputs["next.seen"]
            parts.append(outputs)
            if chunk and self.end is not None and (outputs["values"][:, -1] == self.end).all():
                break  # the loop has stopped; single steps go on, with ends
        return {name: self.lengthened(np.concatenate([part[name][0] for part in parts]), n, name) for name in ("values", "drawn", "distance", "nats")}

    def lengthened(self, rows, n, name):
        """After the end of x there is nothing but ends, with 0 nats and distance 0."""
        rest = np.full((n - len(rows), *rows.shape[1:]), self.end if name in ("values", "drawn") else 0, rows.dtype) if len(rows) < n else rows[:0]
        return np.concatenate([rows, rest])


def arrays_of(sequence, model):
    """values, drawn [n, C], nats, distance [n] of a sequence in the file."""
    values = np.asarray(sequence["values"], model.type).reshape(-1, model.components)
    drawn = np.asarray(sequence["drawn"], model.type).reshape(-1, model.components)
    nats = np.asarray(sequence["nats"], np.float64)
    distance = np.asarray(sequence["distance"], np.float64)
    if not len(values) == len(drawn) == len(nats) == len(distance) > 0:
        raise ValueError(f"values, drawn, nats and distance speak of {len(values)}, {len(drawn)}, {len(nats)} and {len(distance)} variables")
    return values, drawn, nats, distance


def largest(differences):
    """The largest of them; NaN where one is."""
    return float(np.max(np.abs(differences)))


def check_score(model, sequence):
    values, _, nats, _ = arrays_of(sequence, model)
    details = {}
    for name, chunk in (("whole", len(values)), ("chunks", 7)) if model.is_variable else (("whole", len(values)),):
        details[name] = largest(model.score(sequence, values, chunk) - nats)
    return all(difference <= NATS_TOLERANCE for difference in details.values()), {"nats": details}


def check_replay(model, sequence, chunk):
    values, drawn, nats, distance = arrays_of(sequence, model)
    replayed = model.sample(sequence, values, np.ones(len(values), bool), chunk)
    outside = largest(replayed["distance"] - distance)
    apart = largest(replayed["nats"] - nats)
    # Where a uniform lies on a boundary, two samplers may pick neighbours; the distance says so.
    near = np.maximum(replayed["distance"], distance) > 0
    unequal = model.differ(replayed["drawn"], drawn).any(axis=1)
    kept = bool((replayed["values"] == values).all())
    passed = kept and outside <= DISTANCE_TOLERANCE and apart <= NATS_TOLERANCE and not (unequal & ~near).any()
    return passed, {"distance": outside, "nats": apart, "drawnOtherwise": int(unequal.sum()), "givenKept": kept}


def check_free(model, sequence, chunk):
    """Drawn freely, equal up to the first variable whose uniform is not inside; for sequences that were drawn freely."""
    values, _, _, _ = arrays_of(sequence, model)
    replayed = model.sample(sequence, values, np.ones(len(values), bool), chunk)
    outside = np.flatnonzero(replayed["distance"] > 0)
    until = int(outside[0]) if len(outside) else len(values)
    free = model.sample(sequence, np.zeros_like(values), np.zeros(len(values), bool), chunk)
    return not model.differ(free["values"][:until], values[:until]).any(), {"variables": len(values), "until": until}


# ---------------------------------------------------------------- all of it

def main():
    parser = argparse.ArgumentParser(description="Replays an exported model with onnxruntime for Python.")
    parser.add_argument("model", type=Path, help="the directory of an exported model")
    parser.add_argument("sequences", type=Path, help="a JSON file with sequences that a sampler drew")
    parser.add_argument("--single", type=Path, help="the same model exported as a single file")
    parser.add_argument("--noise", type=Path, default=Path(__file__).parents[2] / "packages/core/test/noise-vector.json", help="a JSON file with uniforms and their addresses")
    arguments = parser.parse_args()
    report = Report()
    report.attempt("noise: the published vectors of Philox", check_known_answers)
    report.attempt("noise: the vector of core", lambda: check_vector(arguments.noise))

    try:
        manifest = json.loads((arguments.model / "model.json").read_text(encoding="utf-8"))
        sequences = json.loads(arguments.sequences.read_text(encoding="utf-8"))["sequences"]
        if not sequences:
            raise ValueError(f"{arguments.sequences} holds no sequence")
    except Exception as error:
        report.check("input", False, error=f"{type(error).__name__}: {error}")
        return 1
    report.attempt("files: sizes and SHA-256", lambda: check_files(arguments.model, manifest))
    for name in GRAPHS:
        path = arguments.model / f"{name}.onnx"
        report.attempt(f"{name}.onnx: onnx.checker", lambda: check_graph(path))
        report.attempt(f"{name}.onnx: only the standard domain", lambda: check_domain(path))
        report.attempt(f"{name}.onnx: inputs and outputs", lambda: check_signature(path, name, manifest))
        report.attempt(f"{name}.onnx: weights by offset", lambda: check_places(path, manifest))
    if arguments.single:
        report.attempt("single file: onnx.checker", lambda: check_graph(arguments.single))
        report.attempt("single file: only the standard domain", lambda: check_domain(arguments.single))
        report.attempt("single file: inputs and outputs", lambda: check_signature(arguments.single, "sample", manifest))
        report.attempt("single file: its metadata hold the description", lambda: check_metadata(arguments.single, manifest))
    try:
        model = Model({name: arguments.model / f"{name}.onnx" for name in GRAPHS}, manifest)
        single = Model({"sample": arguments.single}, manifest) if arguments.single else None
    except Exception as error:
        report.check("onnxruntime opens the graphs", False, error=f"{type(error).__name__}: {error}"[:2000])
        return 1
    for which, sequence in enumerate(sequences):
        address = f"sequence {which}"
        report.attempt(f"{address}: score.onnx", lambda: check_score(model, sequence))
        report.attempt(f"{address}: replay by step.onnx", lambda: check_replay(model, sequence, 0))
        report.attempt(f"{address}: replay by sample.onnx", lambda: check_replay(model, sequence, 16))
        if single:
            report.attempt(f"{address}: replay by the single file", lambda: check_replay(single, sequence, 16))
        if not any(sequence["distance"]):
            report.attempt(f"{address}: drawn freely by sample.onnx", lambda: check_free(model, sequence, 16))
            report.attempt(f"{address}: drawn freely by step.onnx", lambda: check_free(model, sequence, 0))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
