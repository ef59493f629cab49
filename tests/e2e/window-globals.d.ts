import type { EdgesmithBridge } from '../../src/contract/bridge.ts'

// Functions passed to page.evaluate run in the page, where the preload script put the bridge.
declare global {
  interface Window {
    readonly edgesmith: EdgesmithBridge
  }
}
