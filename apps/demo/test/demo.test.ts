/** The demo, small: seven sections, a run, an exported model that says the same as the trained one. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { plays, run, runJson, temporaryFolder } from './command.js'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))

describe('the bundled plays', () => {
  it('are what data/README.md says', () => {
    const bytes = readFileSync(plays)
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const readme = readFileSync(new URL('../data/README.md', import.meta.url), 'utf8')
    expect(readme).toContain(createHash('sha256').update(bytes).digest('hex'))
    expect(readme).toContain(`${text.length.toLocaleString('en-US')} characters, ${bytes.length.toLocaleString('en-US')} bytes, ${new Set(text).size} different characters`)
    expect(text).not.toContain('\r')
  })
})

describe('demo', () => {
  it('tells its story in seven sections', async () => {
    const out = join(folder, 'told')
    const { code, stdout, stderr } = await run('demo', '--preset', 'quick', '--steps', '20', '--out', out)
    expect(code, stderr).toBe(0)
    expect(stdout.match(/^\d\. .+$/gm)).toEqual(['1. The text', '2. The model', '3. Training', '4. How good is it?', '5. What it writes', '6. Export', '7. The exported files at work'])
    const unwrapped = stdout.replaceAll(/\s+/g, ' ')
    expect(unwrapped).toContain('375,542 characters, 74 different')
    expect(unwrapped).toMatch(/never seen: \d\.\d+ nats per character \(\d\.\d+ bits per character, \d\.\d+ bits per byte\)/)
    expect(unwrapped).toContain('Provider cpu: ')
    expect(stdout).toContain('│ Enter Hamlet.')
    expect(stderr).toMatch(/training 20\/20/)
    expect(existsSync(join(out, 'checkpoint.safetensors')) && existsSync(join(`${out}-model`, 'model.json'))).toBe(true)
  })

  it('as a document: the exported files give the likelihood of the trained model', async () => {
    const out = join(folder, 'counted')
    const { code, stderr, document } = await runJson('demo', '--preset', 'quick', '--steps', '60', '--out', out)
    expect(code, stderr).toBe(0)
    expect(document).toMatchObject({ command: 'demo', run: out, model: `${out}-model`, steps: 60, engine: 'onnx', provider: 'cpu', data: { heldOutBegin: 337_987, heldOutEnd: 375_542 } })
    expect(document.heldOut.characters).toBe(37_555)
    // Knowing nothing is ln 74 = 4.30; sixty steps learn at least how often each character occurs.
    expect(document.heldOut.natsPerCharacter).toBeLessThan(document.frequencyNatsPerCharacter)
    expect(document.frequencyNatsPerCharacter).toBeLessThan(Math.log(74))
    expect(document.heldOutOfExported.natsPerCharacter).toBeCloseTo(document.heldOut.natsPerCharacter, 4)
    expect(document.continuation).toMatch(/^Enter Hamlet\.\n\n {2}Ham\. /)
    expect(stderr).toMatch(/^7\. The exported files at work$/m)
  })

  it('refuses a folder that holds a run', async () => {
    const { code, stderr } = await run('demo', '--preset', 'quick', '--steps', '5', '--out', join(folder, 'told'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/told already holds a run/)
  })
})
