/** Names of the IPC channels between preload script and main. */
export const channels = {
  call: 'edgesmith:call',
  event: 'edgesmith:event',
  chooseFile: 'edgesmith:choose-file',
  openFile: 'edgesmith:open-file',
} as const
