import { stringify } from 'yaml'

/** Tells Grafana where Prometheus is. Source: Grafana documentation, "Provision Grafana". */
export const grafanaDatasource = stringify({
  apiVersion: 1,
  datasources: [
    {
      name: 'Prometheus',
      uid: 'prometheus',
      type: 'prometheus',
      access: 'proxy',
      url: 'http://prometheus:9090',
      isDefault: true,
      editable: false,
    },
  ],
})

/** Tells Grafana where its dashboards are. */
export const grafanaDashboards = stringify({
  apiVersion: 1,
  providers: [
    {
      name: 'edgesmith',
      type: 'file',
      disableDeletion: true,
      allowUiUpdates: false,
      options: { path: '/var/lib/grafana/dashboards', foldersFromFilesStructure: false },
    },
  ],
})
