"""Python's peers of the generation benchmark, one in each process: nanogpt, transformers, ctranslate2 or onnxruntime-genai.

    python_peers.py PEER            answers each line of JSON with one
    {"open": {...}}                 -> {"version": ...} or {"missing": why it cannot run}
    {"draw": {"count": n, "length": m}} -> {"seconds": ..., "processorSeconds": ...}: n texts of m tokens, at temperature 1
    {"score": [tokens]}             -> {"nats": [...]}: -log p of each, by chainrule's own weights

`open` has layers, heads, width, values, context; `weights`, a safetensors file; `folder`, a model in the layout of transformers.js, which
gets the files of the peer beside its own; `checkout`, a clone of nanoGPT. The token `values` stands for the start and is never drawn.
One thread, float32. Weights W [in, out] are transposed where a peer has [out, in].
"""

import json
import sys
import time

peer = sys.argv[1]


def log_probabilities(logits, values):
    """log p of the values proper, the start's left out; logits [..., values + 1]."""
    return torch.log_softmax(torch.as_tensor(logits).float()[..., :values], -1)


def picked(table, tokens):
    return (-table[torch.arange(len(tokens)), torch.tensor(tokens)]).tolist()


class NanoGPT:
    def __init__(self, request):
        sys.path.insert(0, request["checkout"])
        from model import GPT, GPTConfig

        self.values = values = request["values"]
        config = GPTConfig(block_size=request["context"], vocab_size=values + 1, n_layer=request["layers"], n_head=request["heads"], n_embd=request["width"], dropout=0.0, bias=False)
        sys.stdout = sys.stderr  # it prints its size
        self.model = GPT(config).eval()
        sys.stdout = sys.__stdout__
        self.version = f"torch {torch.__version__}"
        weights = load_file(request["weights"])
        theirs = {"transformer.wte.weight": weights["network/embedding"], "lm_head.weight": weights["network/embedding"], "transformer.wpe.weight": weights["network/positions"], "transformer.ln_f.weight": weights["network/normalization"]}
        for layer in range(request["layers"]):
            ours, own = f"network/layer{layer}/", f"transformer.h.{layer}."
            theirs |= {own + "ln_1.weight": weights[ours + "attentionNormalization"], own + "ln_2.weight": weights[ours + "feedForwardNormalization"]}
            for name, mine in (("attn.c_attn", "queriesKeysValues"), ("attn.c_proj", "attentionOutput"), ("mlp.c_fc", "feedForwardInput"), ("mlp.c_proj", "feedForwardOutput")):
                theirs[own + name + ".weight"] = weights[ours + mine].T
        missing, unknown = self.model.load_state_dict(theirs, strict=False)
        assert not unknown and all(name.endswith("attn.bias") for name in missing), (missing, unknown)

    def draw(self, count, length):
        self.model.generate(torch.full((count, 1), self.values), length)

    def score(self, tokens):
        given = torch.tensor([[self.values, *tokens[:-1]]])
        logits, _ = self.model(given, targets=given)  # with targets it gives the logits of all places
        return picked(log_probabilities(logits[0], self.values), tokens)


def neox(request):
    """The same model as transformers knows it: GPT-NeoX without parallel residuals, all biases 0. Written beside the tokenizer."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    width, heads, values = request["width"], request["heads"], request["values"]
    config = GPTNeoXConfig(
        vocab_size=values + 1, hidden_size=width, num_hidden_layers=request["layers"], num_attention_heads=heads, intermediate_size=4 * width, hidden_act="gelu",
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}, max_position_embeddings=2 * request["context"], layer_norm_eps=1e-5,
        use_parallel_residual=False, tie_word_embeddings=False, bos_token_id=values, eos_token_id=None, pad_token_id=values,
    )
    model = GPTNeoXForCausalLM(config).eval()
    weights = load_file(request["weights"])
    state = {name: torch.zeros_like(value) if name.endswith("bias") else value for name, value in model.state_dict().items()}
    state |= {"gpt_neox.embed_in.weight": weights["network/embedding"], "lm_head.weight": weights["network/embedding"].clone(), "gpt_neox.final_layer_norm.weight": weights["network/normalization"]}
    for layer in range(request["layers"]):
        ours, own = f"network/layer{layer}/", f"gpt_neox.layers.{layer}."
        merged = weights[ours + "queriesKeysValues"].T.reshape(3, heads, width // heads, width)  # there: queries, keys and values head by head
        state |= {
            own + "input_layernorm.weight": weights[ours + "attentionNormalization"], own + "post_attention_layernorm.weight": weights[ours + "feedForwardNormalization"],
            own + "attention.query_key_value.weight": merged.transpose(0, 1).reshape(3 * width, width), own + "attention.dense.weight": weights[ours + "attentionOutput"].T,
            own + "mlp.dense_h_to_4h.weight": weights[ours + "feedForwardInput"].T, own + "mlp.dense_4h_to_h.weight": weights[ours + "feedForwardOutput"].T,
        }
    model.load_state_dict({name: value.contiguous() for name, value in state.items()})
    return model


class Transformers:
    def __init__(self, request):
        import transformers

        self.version, self.values, self.model = f"{transformers.__version__}, torch {torch.__version__}", request["values"], neox(request)

    def draw(self, count, length):
        start = torch.full((count, 1), self.values)
        out = self.model.generate(start, attention_mask=torch.ones_like(start), do_sample=True, top_k=0, max_new_tokens=length, suppress_tokens=[self.values], use_cache=True)
        assert out.shape == (count, length + 1), out.shape

    def score(self, tokens):
        return picked(log_probabilities(self.model(torch.tensor([[self.values, *tokens[:-1]]])).logits[0], self.values), tokens)


class CTranslate2:
    def __init__(self, request):
        import ctranslate2
        from transformers import AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM, logging

        logging.disable_progress_bar()
        # Older names of transformers, which the converter reads.
        GPTNeoXConfig.rotary_pct = 1.0
        GPTNeoXForCausalLM.embed_out = property(lambda model: model.lm_head)

        self.version, self.values = ctranslate2.__version__, request["values"]
        folder = request["folder"]
        neox(request).save_pretrained(folder)
        self.names = AutoTokenizer.from_pretrained(folder).convert_ids_to_tokens(list(range(self.values + 1)))
        # It wants to know an end and an unknown token.
        with open(folder + "/tokenizer_config.json") as file:
            settings = json.load(file)
        with open(folder + "/tokenizer_config.json", "w") as file:
            json.dump(settings | {"eos_token": self.names[self.values], "unk_token": self.names[self.values]}, file)
        ctranslate2.converters.TransformersConverter(folder).convert(folder + "/ctranslate2", force=True)
        self.generator = ctranslate2.Generator(folder + "/ctranslate2", device="cpu", compute_type="float32", intra_threads=1, inter_threads=1)

    def draw(self, count, length):
        start = self.names[self.values]
        out = self.generator.generate_batch([[start]] * count, max_length=length, min_length=length, sampling_topk=0, include_prompt_in_result=False, suppress_sequences=[[start]], max_batch_size=count)
        assert all(len(each.sequences_ids[0]) == length for each in out)

    def score(self, tokens):
        given = [[self.names[token] for token in [self.values, *tokens[:-1]]]]
        import numpy

        return picked(log_probabilities(numpy.array(self.generator.forward_batch(given))[0], self.values), tokens)


class GenAI:
    def __init__(self, request):
        import onnxruntime_genai

        self.genai, self.version, self.values = onnxruntime_genai, onnxruntime_genai.__version__, request["values"]
        folder, heads = request["folder"] + "/onnx", request["heads"]
        names = {"input_ids": "input_ids", "attention_mask": "attention_mask", "past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"}
        decoder = {
            "session_options": {"intra_op_num_threads": 1, "inter_op_num_threads": 1, "log_id": "genai", "provider_options": []}, "filename": "model.onnx", "head_size": request["width"] // heads,
            "hidden_size": request["width"], "num_attention_heads": heads, "num_key_value_heads": heads, "num_hidden_layers": request["layers"], "inputs": names,
            "outputs": {"logits": "logits", "present_key_names": "present.%d.key", "present_value_names": "present.%d.value"},
        }
        model = {"type": "decoder", "bos_token_id": self.values, "eos_token_id": self.values, "pad_token_id": self.values, "vocab_size": self.values + 1, "context_length": 4 * request["context"], "decoder": decoder}
        with open(folder + "/genai_config.json", "w") as file:
            json.dump({"model": model, "search": {"max_length": request["context"] + 1, "past_present_share_buffer": False}}, file)
        self.model = onnxruntime_genai.Model(folder)

    def begin(self, count, length, **options):
        parameters = self.genai.GeneratorParams(self.model)
        parameters.set_search_options(max_length=length + 1, min_length=length + 1, batch_size=count, **options)
        return self.genai.Generator(self.model, parameters)

    def draw(self, count, length):
        generator = self.begin(count, length, do_sample=True, top_k=self.values + 1, top_p=1.0, temperature=1.0)
        generator.append_tokens([[self.values]] * count)
        while not generator.is_done():
            generator.generate_next_token()
        assert len(generator.get_sequence(0)) == length + 1

    def score(self, tokens):
        generator = self.begin(1, len(tokens) + 1)
        rows = []
        for token in [self.values, *tokens[:-1]]:
            generator.append_tokens([[token]])
            rows.append(torch.as_tensor(generator.get_logits()).reshape(-1))
        return picked(log_probabilities(torch.stack(rows), self.values), tokens)


peers = {"nanogpt": NanoGPT, "transformers": Transformers, "ctranslate2": CTranslate2, "onnxruntime-genai": GenAI}
opened = None
for line in sys.stdin:
    request = json.loads(line)
    if "open" in request:
        try:
            import torch
            from safetensors.torch import load_file

            torch.set_num_threads(1)
            torch.set_grad_enabled(False)
            opened = peers[peer](request["open"])
            answer = {"version": opened.version}
        except ImportError as error:
            answer = {"missing": str(error)}
    elif "draw" in request:
        began, processor = time.perf_counter(), time.process_time()
        opened.draw(**request["draw"])
        answer = {"seconds": time.perf_counter() - began, "processorSeconds": time.process_time() - processor}
    else:
        answer = {"nats": opened.score(request["score"])}
    print(json.dumps(answer), flush=True)
