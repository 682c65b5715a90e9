import { describe, expect, it } from 'vitest'
import { bytes, commandLine, counted, duration, quoted, shareableCommand, wrapped } from '../src/wording.js'

describe('wording', () => {
  it('counts with the right ending', () => {
    expect([counted(1, 'step'), counted(2000, 'step')]).toEqual(['1 step', '2,000 steps'])
  })

  it('says sizes and times', () => {
    expect([bytes(12), bytes(3500), bytes(3_200_000)]).toEqual(['12 bytes', '3.5 kB', '3.2 MB'])
    expect([duration(0.4), duration(59.7), duration(3700)]).toEqual(['0 s', '1 min 0 s', '1 h 1 min'])
  })

  it('quotes for a shell what needs it', () => {
    expect([quoted('runs/a-1'), quoted('a b'), quoted("it's"), quoted('')]).toEqual(['runs/a-1', "'a b'", String.raw`'it'\''s'`, "''"])
    expect(commandLine('sample', 'my run')).toMatch(/ sample 'my run'$/)
  })

  it('shows a command to others without what folders are called', () => {
    const shown = shareableCommand(['train', 'text', '--data', '/home/ann/my texts/plays.txt', '--out=runs/plays', '--from', 'runs/old/', '--steps', '5'])
    expect(shown).toBe("chainrule train text --data plays.txt --out=plays --from old/ --steps 5")
  })

  it('wraps between words and loses none', () => {
    const text = 'to be or not to be that is the question'
    expect(wrapped(text, 12).split('\n').every((line) => line.length <= 12)).toBe(true)
    expect(wrapped(text, 12).replaceAll('\n', ' ')).toBe(text)
    expect(wrapped('a longwordthatdoesnotfit b', 5)).toBe('a\nlongwordthatdoesnotfit\nb')
  })
})
