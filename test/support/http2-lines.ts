import { connect } from 'node:net'
import { Duplex, Transform } from 'node:stream'

const PREFACE = 24
const FRAME_HEADER = 9
const HEADERS = 1
/** END_HEADERS and END_STREAM: there is neither more of the header nor a body. */
const ENDS = 0x05

/**
 * A connection for a client of Node's HTTP/2 that says these fields in place of its own: the client refuses to send
 * `authorization` twice, and others do not.
 */
export function http2Lines(
  port: number,
  from: string | undefined,
  fields: readonly (readonly [string, string])[],
): Duplex {
  const socket = connect({ port, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) })
  let held = Buffer.alloc(0)
  let isBegun = false
  const writable = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = Buffer.concat([held, chunk])
      if (!isBegun && held.length >= PREFACE) {
        isBegun = true
        this.push(held.subarray(0, PREFACE))
        held = held.subarray(PREFACE)
      }
      while (isBegun && held.length >= FRAME_HEADER && held.length >= FRAME_HEADER + held.readUIntBE(0, 3)) {
        const frame = held.subarray(0, FRAME_HEADER + held.readUIntBE(0, 3))
        held = held.subarray(frame.length)
        this.push(frame[3] === HEADERS ? headersFrame(frame.readUInt32BE(5), fields) : frame)
      }
      done()
    },
  })
  writable.pipe(socket)
  return Duplex.from({ readable: socket, writable })
}

/** Every field in full, by name and value: neither a table nor Huffman's code (RFC 7541, 6.2.2). */
function headersFrame(stream: number, fields: readonly (readonly [string, string])[]): Buffer {
  const block = Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
  const head = Buffer.alloc(FRAME_HEADER)
  head.writeUIntBE(block.length, 0, 3)
  head[3] = HEADERS
  head[4] = ENDS
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, block])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length > 126) throw new Error('longer than one byte of length says')
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}
