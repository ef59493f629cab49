interface Waiting {
  readonly pixels: number
  readonly start: () => void
}

/** Lets images be decoded beside each other as long as they are few and small together; the others wait, first come, first served. */
export class ImageTurns {
  readonly #mostImages: number
  readonly #mostPixels: number
  readonly #waiting: Waiting[] = []
  #images = 0
  #pixels = 0

  constructor(mostImages: number, mostPixels: number) {
    this.#mostImages = mostImages
    this.#mostPixels = mostPixels
  }

  /** @param pixels of the image; one that is larger than all may be together is decoded alone */
  async take<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#waiting.push({ pixels, start })
      this.#startNext()
    })
    try {
      return await work()
    } finally {
      this.#images--
      this.#pixels -= pixels
      this.#startNext()
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#images++
      this.#pixels += next.pixels
      next.start()
    }
  }

  #hasRoom({ pixels }: Waiting): boolean {
    return this.#images === 0 || (this.#images < this.#mostImages && this.#pixels + pixels <= this.#mostPixels)
  }
}
