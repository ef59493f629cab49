/** From this size on a part is kept in the memory it came in. */
const SMALL_BYTES = 4096
/** Where smaller parts are gathered. */
const BLOCK_BYTES = 16_384

/**
 * The parts of a body as they arrive. Small ones are copied into blocks: a client that sends a byte at a time would otherwise make the service
 * hold an object of some hundred bytes for each.
 */
export class BodyParts {
  bytes = 0
  private readonly parts: Buffer[] = []
  /** Of the last part, which is a block; 0 where it is not. */
  private room = 0
  private block: Buffer | null = null

  add(part: Buffer): void {
    this.bytes += part.length
    if (part.length >= SMALL_BYTES || this.bytes === part.length) {
      this.close()
      this.parts.push(part)
      return
    }
    if (part.length > this.room) {
      this.close()
      this.block = Buffer.allocUnsafe(BLOCK_BYTES)
      this.room = BLOCK_BYTES
    }
    const block = this.block as Buffer
    part.copy(block, BLOCK_BYTES - this.room)
    this.room -= part.length
  }

  whole(): Buffer {
    this.close()
    return this.parts.length === 1 ? (this.parts[0] as Buffer) : Buffer.concat(this.parts)
  }

  /** What the block holds becomes a part. */
  private close(): void {
    if (this.block === null) return
    this.parts.push(this.block.subarray(0, BLOCK_BYTES - this.room))
    this.block = null
    this.room = 0
  }
}
