/** The nonce of this load, written into index.html by the `app://` handler; undefined where nobody replaced it. */
export function styleNonce(): string | undefined {
  const content = document.querySelector('meta[name="style-nonce"]')?.getAttribute('content')
  return content && content !== '__NONCE__' ? content : undefined
}

declare global {
  var __webpack_nonce__: string | undefined
}

/** Lets libraries that add style elements of their own (scroll lock of dialogs) find the nonce. */
export function publishStyleNonce(): void {
  globalThis.__webpack_nonce__ = styleNonce()
}
