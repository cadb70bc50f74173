import type { OpenApiDocument } from 'keyward/management'

/** A JSON Schema, as far as the document uses it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** What is wrong with a value by a schema of the document; a member that the schema does not name is wrong too. */
export function flawsOf(document: OpenApiDocument, schema: Schema, value: unknown, path = ''): readonly string[] {
  if (schema.$ref !== undefined) {
    const found = schema.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, name) => Object(at)[name], document)
    return flawsOf(document, found as Schema, value, path)
  }
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((one) => flawsOf(document, one, value, path))
    return tries.some((flaws) => flaws.length === 0) ? [] : tries.flat()
  }
  const types = [schema.type ?? []].flat()
  if (types.length > 0 && !types.some((type) => isOf(type, value))) return [`${path} is no ${types.join(' or ')}`]
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path} is none of ${schema.enum.join()}`]
  if (schema.const !== undefined && schema.const !== value) return [`${path} is not ${schema.const}`]
  if (typeof value === 'string') return textFlaws(schema, value, path)
  if (typeof value === 'number') return value < (schema.minimum ?? value) ? [`${path} is too small`] : []
  if (Array.isArray(value)) return listFlaws(document, schema, value, path)
  return typeof value === 'object' && value !== null ? memberFlaws(document, schema, value, path) : []
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  return type === typeof value && value !== null && !Array.isArray(value)
}

function textFlaws({ pattern, format, minLength = 0, maxLength }: Schema, value: string, path: string) {
  if (value.length < minLength || value.length > (maxLength ?? value.length))
    return [`${path} has ${value.length} characters`]
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return [`${path} is not as ${pattern}`]
  return format === 'date-time' && !DATE_TIME.test(value) ? [`${path} is no time`] : []
}

function listFlaws(document: OpenApiDocument, schema: Schema, value: readonly unknown[], path: string) {
  const { items = {}, minItems = 0, maxItems = value.length } = schema
  if (value.length < minItems || value.length > maxItems) return [`${path} has ${value.length} items`]
  return value.flatMap((item, i) => flawsOf(document, items, item, `${path}.${i}`))
}

function memberFlaws(document: OpenApiDocument, schema: Schema, value: object, path: string): readonly string[] {
  const { properties = {}, additionalProperties, required = [] } = schema
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}.${name} is missing`)
  const others = additionalProperties ?? Object.keys(properties).length === 0
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (known !== undefined) return flawsOf(document, known, member, `${path}.${name}`)
    if (typeof others === 'object') return flawsOf(document, others, member, `${path}.${name}`)
    return others ? [] : [`${path}.${name} is not described`]
  })
  return [...missing, ...wrong]
}
