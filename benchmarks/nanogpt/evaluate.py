"""Mean held-out nats per character of a nanoGPT checkpoint, by the protocol of recipes/tinyshakespeare.mjs.

    python evaluate.py CHECKOUT CHECKPOINT TEXT      (CHECKOUT: a clone of nanoGPT, whose model.py is used)

All non-overlapping windows of block_size scored characters, from the first held-out character; the first character of a
window is predicted from the character before the window; a remainder shorter than a window is left out. Prints JSON.
"""

import json
import sys

import torch

checkout, checkpoint_path, text_path = sys.argv[1:4]
sys.path.insert(0, checkout)
from model import GPT, GPTConfig  # noqa: E402

with open(text_path, encoding="utf-8", newline="") as file:
    text = file.read()
value_of = {symbol: value for value, symbol in enumerate(sorted(set(text)))}
tokens = torch.tensor([value_of[symbol] for symbol in text])
begin = int(len(text) * 0.9)

checkpoint = torch.load(checkpoint_path, map_location="cpu")
window = checkpoint["model_args"]["block_size"]
model = GPT(GPTConfig(**checkpoint["model_args"]))
model.load_state_dict(checkpoint["model"])
model.eval()

starts = range(begin, len(tokens) - window + 1, window)
inputs = torch.stack([tokens[s - 1 : s - 1 + window] for s in starts])
targets = torch.stack([tokens[s : s + window] for s in starts])
total = 0.0
with torch.no_grad():
    for x, y in zip(inputs.split(64), targets.split(64)):
        logits, _ = model(x, y)
        total -= logits.double().log_softmax(-1).gather(-1, y.unsqueeze(-1)).sum().item()
print(json.dumps({"natsPerCharacter": total / targets.numel(), "characters": targets.numel(), "updates": checkpoint["iter_num"], "torch": torch.__version__}))
