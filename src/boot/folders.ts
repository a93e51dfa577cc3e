/** What lies where in a data folder; `segments/README.md` specifies the bytes. */
export const folders = (dataFolder: string) =>
  ({
    store: `${dataFolder}/store`,
    log: `${dataFolder}/log`,
    meta: `${dataFolder}/meta/weir.sqlite`,
    uploads: `${dataFolder}/uploads`,
    /** Of a process with the server role alone: copies of what others' `store` holds. */
    cache: `${dataFolder}/cache`,
  }) as const;
