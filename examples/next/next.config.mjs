const handler = import.meta.resolve("upstash-edge/next-cache-handler");

export default {
  cacheComponents: true,
  partialPrefetching: true,
  // What is under "use cache" is kept in Redis, for all processes of this build.
  cacheHandlers: { default: handler, remote: handler },
};
