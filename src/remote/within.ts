/** What a promise answers if it does so in time, otherwise `instead`. Leaves no timer behind that would keep a finished program alive. */
export function within<T, U>(promise: Promise<T>, ms: number, instead: U): Promise<T | U> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(instead), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
