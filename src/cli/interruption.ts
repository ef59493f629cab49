/**
 * What Ctrl+C does: the innermost piece of work that can stop in order is asked to; where there is none, the command is
 * given up. A second Ctrl+C ends the process at once.
 */
export class Interruption {
  private readonly handlers: (() => void)[] = []

  /** Has `handler` asked on Ctrl+C until the returned function is called. */
  handle(handler: () => void): () => void {
    this.handlers.push(handler)
    return () => {
      const index = this.handlers.lastIndexOf(handler)
      if (index >= 0) this.handlers.splice(index, 1)
    }
  }

  /** Asks the innermost handler. False when there is none. */
  interrupt(): boolean {
    const handler = this.handlers.at(-1)
    handler?.()
    return handler !== undefined
  }

  /** Resolves on the next Ctrl+C. */
  async wait(): Promise<void> {
    let release: () => void = () => undefined
    await new Promise<void>((resolve) => {
      release = this.handle(resolve)
    })
    release()
  }
}
