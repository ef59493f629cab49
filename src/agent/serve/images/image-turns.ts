import { abandonedRequest } from '../abandoned-request.ts'
import type { Asker } from '../predictor.ts'

interface Waiting {
  readonly pixels: number
  readonly asker: Asker
  readonly start: () => void
  readonly refuse: (error: Error) => void
}

/** Lets images be decoded beside each other as long as they are few and small together; the others wait, first come, first served. */
export class ImageTurns {
  readonly #mostImages: number
  readonly #mostPixels: number
  #waiting: Waiting[] = []
  #images = 0
  #pixels = 0

  constructor(mostImages: number, mostPixels: number) {
    this.#mostImages = mostImages
    this.#mostPixels = mostPixels
  }

  /**
   * @param pixels of the image; one that is larger than all may be together is decoded alone
   * @param asker whose image is forgotten when it is over before its turn comes
   * @throws HttpError `DEADLINE_EXCEEDED` for those, and what `work` throws
   */
  async take<T>(pixels: number, asker: Asker, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start, refuse) => {
      this.#waiting.push({ pixels, asker, start, refuse })
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
    this.#forgetAbandoned()
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#images++
      this.#pixels += next.pixels
      next.start()
    }
  }

  /** Wherever they stand: each holds its file, which may count against no limit any more. */
  #forgetAbandoned(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (one.asker.isOver()) one.refuse(abandonedRequest())
      else this.#waiting.push(one)
    }
  }

  #hasRoom({ pixels }: Waiting): boolean {
    return this.#images === 0 || (this.#images < this.#mostImages && this.#pixels + pixels <= this.#mostPixels)
  }
}
