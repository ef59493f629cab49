import { describe, expect, it } from 'vitest'
import { TransferRate } from '../../src/remote/transfer-rate.ts'

describe('the rate of a transfer', () => {
  it('is shown after half a second, at most twice a second, and follows slowly', () => {
    const rate = new TransferRate(1000)
    rate.add(1_000_000, 1400)
    expect(rate.text).toBe(null)
    rate.add(1_000_000, 1500)
    expect(rate.text).toBe('4.0 MB/s')
    rate.add(10_000_000, 1900)
    expect(rate.text).toBe('4.0 MB/s')
    // The second window has 10 MB in half a second: 0.4 of 20 and 0.6 of 4.
    rate.add(0, 2000)
    expect(rate.text).toBe('10.4 MB/s')
  })

  it('is in kilobytes where it is slow, and 0 where nothing moves', () => {
    const rate = new TransferRate(0)
    rate.add(12_345, 1000)
    expect(rate.text).toBe('12.3 kB/s')
    const still = new TransferRate(0)
    still.add(0, 600)
    expect(still.text).toBe('0.0 kB/s')
  })
})
