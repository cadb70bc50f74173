/** A style sheet: lit's own tag also knows of values to fill in, and of browsers that have no sheet that stands alone. */
export function css([text = '']: TemplateStringsArray): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(text)
  return sheet
}
