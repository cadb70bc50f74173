/** Compiles when two types are the same, in both directions, `any` being none but itself. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `same<Same<A, B>>()` compiles when they are. */
export function same<_Holds extends true>(): void {}
