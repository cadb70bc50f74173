/** Whether the text is in the clipboard now. Without TLS browsers have the older way only. */
export async function copyText(text: string, near: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copySelected(text, near)
  }
}

/** A field that is there for this moment; in a modal dialog, nothing outside it can be selected. */
function copySelected(text: string, near: Element): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.readOnly = true
  field.className = 'unseen'
  const focused = (near.getRootNode() as ShadowRoot).activeElement
  ;(near.closest('dialog') ?? near.getRootNode()).appendChild(field)
  field.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    field.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}
