/** The list of a key's hashes stays the same for as long as its record does: what is made of it is made once. */
export function oncePerList<Made extends object>(
  make: (kept: readonly string[]) => Made,
): (kept: readonly string[]) => Made {
  const place = Symbol('keyward')
  const closed = new WeakMap<object, Made>()
  return (kept: readonly string[] & { [place]?: Made }) => {
    const known = kept[place] ?? closed.get(kept)
    if (known !== undefined) return known
    const made = make(kept)
    if (Object.isExtensible(kept)) kept[place] = made
    else closed.set(kept, made)
    return made
  }
}
