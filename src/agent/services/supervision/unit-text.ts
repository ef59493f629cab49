import { isAbsolute, relative } from 'node:path'

/** Where a unit's programs and files are. */
export interface UnitPlaces {
  readonly service: string
  /** Folder of the service. */
  readonly folder: string
  /** Folder that holds `services/`, agents and models. */
  readonly root: string
  /** Others that are read: agent, model. */
  readonly read: readonly string[]
}

/** Requests in flight get this long when the machine or the service is stopped; the supervisor gives up sooner. */
const stopSeconds = 60

/**
 * A unit of the system's systemd that serves as a user of the machine, with as few rights as the work can do with. Not among them:
 * `MemoryDenyWriteExecute`, because V8 compiles, and `PrivateDevices`, because temperatures and the GPU are read from devices.
 */
export function systemUnitText(places: UnitPlaces, user: string): string {
  const homes = [places.root, ...places.read].every((path) => isInside(path, places.root))
    ? // Keys and documents of the user are not there at all.
      ['ProtectHome=tmpfs', `BindReadOnlyPaths=${bound(places.root)}`, `BindPaths=${bound(places.folder)}`]
    : ['ProtectHome=read-only']
  return `[Unit]
Description=Edgesmith service ${places.service}
After=network.target
ConditionPathExists=${plain(`${places.folder}/start`)}
${endless}

[Service]
User=${user}
${commonLines(places)}
OOMScoreAdjust=-100
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=${word(places.folder)}
${homes.join('\n')}
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`
}

/** A unit of the user's own systemd, which has no rights to give away. */
export function userUnitText(places: UnitPlaces): string {
  return `[Unit]
Description=Edgesmith service ${places.service}
ConditionPathExists=${plain(`${places.folder}/start`)}
${endless}

[Service]
${commonLines(places)}
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`
}

// Nobody is there to start it again by hand; the pause between two tries keeps it cheap.
const endless = 'StartLimitIntervalSec=0'

/** KillMode: a serving process whose supervisor was killed serves on until the next supervisor lets it finish. */
function commonLines({ folder }: UnitPlaces): string {
  return `ExecStart=/bin/sh ${word(`${folder}/start`).replaceAll('$', '$$$$')}
Restart=always
RestartSec=2
SuccessExitStatus=78
RestartPreventExitStatus=78
KillMode=process
TimeoutStopSec=${stopSeconds}
UMask=0077`
}

/** A path that takes the rest of its line; `%` begins a specifier. */
function plain(path: string): string {
  return path.replaceAll('%', '%%')
}

function word(path: string): string {
  return `"${plain(path).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A colon parts source and destination. */
function bound(path: string): string {
  return word(path).replaceAll(':', '\\:')
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
