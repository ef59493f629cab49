// Runs in the sandboxed renderer before the page: the only bridge between the page and Electron main.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { EdgesmithBridge } from '../contract/bridge.ts'
import { channels } from '../contract/channels.ts'

const bridge: EdgesmithBridge = {
  call: (name, input) => ipcRenderer.invoke(channels.call, { name, input }),
  onEvent: (listener) => {
    const forward = (_event: unknown, event: Parameters<typeof listener>[0]) => listener(event)
    ipcRenderer.on(channels.event, forward)
    return () => ipcRenderer.off(channels.event, forward)
  },
  chooseFile: (request) => ipcRenderer.invoke(channels.chooseFile, request),
  pathOfFile: (file) => webUtils.getPathForFile(file as File),
  openFile: (path) => ipcRenderer.invoke(channels.openFile, path),
}
contextBridge.exposeInMainWorld('edgesmith', bridge)
