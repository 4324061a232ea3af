# The front door. Every target sets up what it needs, and says nothing long when that is there already.
.DEFAULT_GOAL := help
.PHONY: help run edge test runtimes bench-ops bench-limiter bench-cache bench-large bench-edge bench-start size build fmt clean setup

# `exec`, so that a signal sent to make reaches the script itself.
IN_ENV := exec scripts/env.sh
export PORT GATEWAY_PORT ONLY QUICK RUNTIMES

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: ## the Worker on 127.0.0.1:8787 over a gateway on :8079 and a Redis of its own (PORT=, GATEWAY_PORT=)
	@scripts/setup.sh run
	@$(IN_ENV) node scripts/run.mjs

edge: ## the Worker before ORIGIN_URL= on PORT=, over UPSTASH_REDIS_REST_URL= and _TOKEN= or a Redis of its own (docs/edge.md)
	@scripts/setup.sh run
	@$(IN_ENV) node scripts/run.mjs edge

test: ## every check and every suite (ONLY=worker,page for some)
	@scripts/setup.sh test
	@$(IN_ENV) node scripts/test.mjs

runtimes: ## the conformance list in every runtime; writes the READMEs' table (RUNTIMES=Deno,Bun for some, and no table)
	@scripts/setup.sh test
	@$(IN_ENV) cargo build -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) env UPSTASH_GATEWAY=target/debug/upstash-gateway WRITE=1 node --test tests/runtimes/runtimes.test.mjs

bench-ops: ## what a get costs beside bare fetch and the peer: throughput, CPU time, promises, timers, crossings
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) node bench/ops.mjs

bench-limiter: ## how long a check runs in Redis, and whom it lets through, beside the peer
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) node bench/limiter.mjs
	@$(IN_ENV) node bench/limiter-defects.mjs

bench-large: ## a page of 109 KB from Redis to a client: respond beside bare fetch and the peer (QUICK=1 for fewer rounds)
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) node bench/large.mjs

bench-edge: ## what the front adds to a page, with Redis next door and 20 ms away (QUICK=1 for fewer pages)
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-worker.sh
	@$(IN_ENV) node bench/edge.mjs

bench-cache: ## what calls of the cache cost, and what a million entries and a thousand tags take (QUICK=1: a tenth)
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) node bench/cache.mjs

bench-start: ## from nothing to the first answer, beside importing the peers' packages, in workerd and Node (QUICK=1)
	@scripts/setup.sh run
	@scripts/build-pkg.sh
	@$(IN_ENV) node bench/start.mjs

size: ## what each entry of the package adds to a Worker, beside the peers; where the bytes are (STD=ordinary: with rustup's std, too)
	@scripts/setup.sh run
	@scripts/build-pkg.sh
	@[ "$(STD)" != ordinary ] || STD=ordinary scripts/build-modules.sh
	@$(IN_ENV) node scripts/size.mjs

build: ## the Worker into build/, the gateway into target/release/, the npm package into pkg/
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-worker.sh
	@scripts/build-pkg.sh

setup: ## all tools, those of the tests too
	@scripts/setup.sh test

fmt: ## formats the Rust code
	@cargo fmt --all

clean: ## removes what was built, keeps the tools
	@rm -rf target build pkg/dist .wrangler
