/**
 * The directory that transformers.js loads: `pipeline('text-generation', directory)`. Its own tokenizer, its own graph with the weights
 * inside; the model card is README.md. Every text begins with the token `<|start|>`, which stands for chainrule's `start`.
 */
import type { JsonObject } from '@chainrule/core'
import { type ModelToExport, producer, readmeFile, recordCausalGraph, transformersReadme } from '@chainrule/onnx'
import { tokenizerJson } from './tokenizers/index.js'
import { endToken, startToken } from './tokenizers/tokenizer-json.js'
import type { TextTokenizer } from './tokenizers/tokenizer.js'

/** Where the graph lies; a directory that holds it is one of this layout. */
export const transformersGraphFile = 'onnx/model.onnx'

/** A text alone or two after each other, each preceded by the start. */
function beginning(start: number): JsonObject {
  const special = { SpecialToken: { id: startToken, type_id: 0 } }
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } })
  return {
    type: 'TemplateProcessing',
    single: [special, sequence('A')],
    pair: [special, sequence('A'), special, sequence('B')],
    special_tokens: { [startToken]: { id: startToken, ids: [start], tokens: [startToken] } },
  }
}

/**
 * The files: name → bytes.
 * @throws {UnsupportedError} where the model is no transformer with rotary positions, or its tokenizer has no form in a tokenizer.json
 */
export function recordForTransformers(given: ModelToExport, tokenizer: TextTokenizer): Record<string, Uint8Array> {
  const { model, parameters, card } = given
  const { bytes, layers, heads, features, start } = recordCausalGraph(model, parameters)
  const end = model.domain.end ?? null
  const ids = { bos_token_id: start, eos_token_id: end, pad_token_id: start }
  const json = (content: JsonObject) => new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`)
  return {
    // The family of transformers with rotary positions and layer normalization; only names and sizes are read from it, the graph is ours.
    'config.json': json({
      model_type: 'gpt_neox',
      architectures: ['GPTNeoXForCausalLM'],
      hidden_size: heads * features,
      num_attention_heads: heads,
      num_hidden_layers: layers,
      vocab_size: start + 1,
      ...ids,
      // Without it, browsers look for a quantized file.
      'transformers.js_config': { dtype: 'fp32' },
      chainrule: { producer, card: { ...card } },
    }),
    'generation_config.json': json({ ...ids, do_sample: false }),
    'tokenizer.json': json({ ...tokenizerJson(tokenizer, { end: end !== null, start: true }), post_processor: beginning(start) }),
    'tokenizer_config.json': json({
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: startToken,
      pad_token: startToken,
      ...(end !== null && { eos_token: endToken }),
      add_bos_token: true,
      padding_side: 'left',
      clean_up_tokenization_spaces: false,
    }),
    [transformersGraphFile]: bytes,
    [readmeFile]: transformersReadme(given),
  }
}
