import type { EdgesmithBridge } from '../../contract/bridge.ts'

declare global {
  interface Window {
    /** Put there by the preload script; the only way out of this page. */
    readonly edgesmith: EdgesmithBridge
  }
}

/** The preload script's bridge. */
export function bridge(): EdgesmithBridge {
  return window.edgesmith
}
