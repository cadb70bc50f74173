import { brotliOf } from './brotli.ts'
import { resolve } from 'node:path'
const MOST: any = JSON.parse(process.argv[2]!)
