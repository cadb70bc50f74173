// Prints `N passed, N failed` from Vitest's JSON report and the names of the steps that failed.
import { readFileSync } from 'node:fs'

const [report, ...broken] = process.argv.slice(2)
const tests = readTests(report)
const isTests = (step) => step.startsWith('npm test')

const passed = tests?.numPassedTests ?? 0
// A test file that does not load has failed without any test in it having failed.
const unloaded = tests?.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
)
const failed = (tests?.numFailedTests ?? 0) + (unloaded?.length ?? 0)
const steps = broken.filter((step) => !isTests(step) || failed === 0).length

console.log(`${passed} passed, ${failed + steps} failed`)

function readTests(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // the tests did not run; their step is among the failed ones
  }
}
