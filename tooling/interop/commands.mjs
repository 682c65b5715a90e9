/** Runs other programs. Their output is shown where they fail. */
import { spawn } from 'node:child_process'

const shownLines = 60

/**
 * Runs one program to its end and returns what it printed on standard output.
 * @throws {Error} with the command and the end of its output, where it cannot start, fails, or takes longer than `seconds`
 */
export function run(program, args, { cwd, environment = {}, seconds = 300 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 })
    let output = ''
    let all = ''
    child.stdout.on('data', (data) => {
      output += data
      all += data
    })
    child.stderr.on('data', (data) => (all += data))
    const command = [program, ...args].join(' ')
    child.on('error', (error) => reject(new Error(`${command}\ndoes not start: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const why = signal ? `was ended by ${signal} (limit: ${seconds} s)` : `exit code ${code}`
      reject(new Error(`${command}\n${why}; the end of its output:\n${all.trimEnd().split('\n').slice(-shownLines).join('\n')}`))
    })
  })
}

/** npm, installing exactly these packages into a folder, with no script of theirs. */
export async function installPackages(folder, packages) {
  await run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', '--loglevel=error', ...packages])
}
