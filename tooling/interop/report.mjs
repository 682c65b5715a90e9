/** Runs checks one after the other, says what each does and how long it took, and counts. */

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`
const indented = (text) => text.trimEnd().replaceAll(/^/gm, '      ')

export function createReport() {
  let passed = 0
  let failed = 0
  const begun = performance.now()

  /** Runs one check and passes on what it returns. A failure ends the part, unless the check says otherwise. */
  async function check(name, action, { endsPart = true } = {}) {
    const since = performance.now()
    try {
      const result = await action()
      passed++
      console.log(`  ✓ ${name} (${seconds(since)})`)
      return result
    } catch (error) {
      failed++
      console.log(`  ✗ ${name} (${seconds(since)})\n${indented(error.message)}`)
      if (endsPart) throw new PartEnded()
      return undefined
    }
  }

  return {
    async part(name, action) {
      const since = performance.now()
      console.log(`${name}`)
      try {
        await action(check)
      } catch (error) {
        if (!(error instanceof PartEnded)) {
          failed++
          console.log(`  ✗ ${name}\n${indented(error.stack)}`)
        }
      }
      console.log(`  ${seconds(since)}\n`)
    },
    /** Prints the sum; the exit code is 1 where something failed, or nothing ran. */
    close() {
      console.log(`interoperability: ${seconds(begun)}`)
      console.log(`${passed} passed, ${failed} failed`)
      process.exitCode = failed > 0 || passed === 0 ? 1 : 0
    },
  }
}

class PartEnded extends Error {}
