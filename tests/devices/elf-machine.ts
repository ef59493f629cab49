import { closeSync, openSync, readSync } from 'node:fs'

/** Processor that a program or library is made for, as elf.h numbers them: 62 x86-64, 183 AArch64. Null for files of other kinds. */
export function elfMachine(path: string): number | null {
  const header = Buffer.alloc(20)
  const file = openSync(path, 'r')
  try {
    if (readSync(file, header) < header.length || header.readUInt32BE(0) !== 0x7f454c46) return null
    return header.readUInt16LE(18)
  } finally {
    closeSync(file)
  }
}
