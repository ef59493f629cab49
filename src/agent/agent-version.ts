/** Put in by the bundler (scripts/build.mjs) from package.json; absent when the source runs unbundled. */
declare const __EDGESMITH_VERSION__: string | undefined

/** Version of Edgesmith this agent belongs to. */
export const agentVersion: string = typeof __EDGESMITH_VERSION__ === 'string' ? __EDGESMITH_VERSION__ : '0.0.0-source'
