import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

const run = promisify(execFile)

/** What is in the clipboard, as soon as it looks like this. */
export async function copied(page: Page, like: RegExp): Promise<string> {
  return expect
    .poll(() => page.evaluate('navigator.clipboard.readText()'), { timeout: 10_000 })
    .toMatch(like)
    .then(() => page.evaluate('navigator.clipboard.readText()'))
}

/** What a tab has, copied by its button. */
export async function snippet(page: Page, tab: string, like: RegExp): Promise<string> {
  await page.getByRole('tab', { name: tab, exact: true }).click()
  await page.getByRole('button', { name: 'Copy snippet' }).click()
  const text = await copied(page, like)
  // What is seen is what is copied.
  expect(await page.getByRole('tabpanel').locator('pre').textContent()).toBe(text)
  return text
}

export async function runShell(text: string): Promise<string> {
  return (await run('sh', ['-c', text])).stdout
}

/** With the real SDKs. */
export async function runScript(text: string): Promise<string> {
  const file = join(project(), 'snippet.mts')
  writeFileSync(file, text)
  const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), file])
  return stdout
}

/** The SDK of Python is not installed here: this stands in for as much of it as the snippet uses, and asks for real. */
export async function runPython(text: string): Promise<string> {
  const folder = project()
  writeFileSync(join(folder, 'openai.py'), PYTHON_SDK)
  writeFileSync(join(folder, 'snippet.py'), text)
  const { stdout } = await run('python3', ['snippet.py'], { cwd: folder })
  return stdout
}

/** A folder where a snippet finds the real SDKs. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-snippet-'))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const PYTHON_SDK = `
import json, urllib.request

class Thing:
    def __init__(self, value):
        for name, each in value.items():
            setattr(self, name, wrap(each))

def wrap(value):
    if isinstance(value, dict): return Thing(value)
    return [wrap(each) for each in value] if isinstance(value, list) else value

class OpenAI:
    def __init__(self, base_url, api_key):
        def create(model, messages):
            body = json.dumps({"model": model, "messages": messages}).encode()
            headers = {"Authorization": "Bearer " + api_key, "Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(base_url + "/chat/completions", body, headers)) as answer:
                return wrap(json.load(answer))
        self.chat = Thing({"completions": {}})
        self.chat.completions.create = create
`
