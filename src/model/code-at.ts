/**
 * The UTF-16 unit at a place of a text; NaN past its end. Bound, and not called as a method: once any package of the
 * process has a class that extends `String` (ioredis 6 has one), V8 looks the method up anew for each character, which
 * takes four times as long.
 */
export const codeAt: (text: string, at: number) => number = Function.prototype.call.bind(String.prototype.charCodeAt)
