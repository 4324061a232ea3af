# The front door. Every target sets up what it needs, and says nothing long when that is there already.
.DEFAULT_GOAL := help
.PHONY: help run edge test runtimes reliability reproducible advisories build docs fmt clean setup

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

reliability: ## a Redis that fails in each of its ways; writes the table of docs/reliability.md
	@scripts/setup.sh test
	@$(IN_ENV) cargo build -p upstash-gateway
	@scripts/build-pkg.sh
	@$(IN_ENV) env UPSTASH_GATEWAY=target/debug/upstash-gateway WRITE=1 node --test tests/faults/redis.test.mjs

reproducible: ## two builds of what is shipped, from two folders: the same bytes, some 6 minutes
	@scripts/setup.sh run
	@scripts/reproducible.sh

advisories: ## renews the snapshot of RustSec's advisories that make test holds Cargo.lock against
	@scripts/advisories.sh

bench: ## all of these side by side with the peers, some 20 minutes; writes bench/RESULTS.md
bench-request: ## a whole edge request: session, limit and cached page; with Redis 0 to 80 ms away
bench-ops: ## get, set and a limit's check beside bare fetch of the same bytes
bench-large: ## values of 1 KB to 1 MB: strings, JSON, bytes, HTTP responses
bench-fanout: ## 10, 100 and 1,000 commands of one tick
bench-limiter: ## whom the limiters let through, when they say to come back, what a check costs inside Redis
bench-cache: ## what calls of the cache cost, and what a million entries and a thousand tags take
bench-edge: ## what the front adds to a page, with Redis next door and 20 ms away
bench-size: ## what each entry of the package adds to a Worker; where the bytes of the module are (STD=ordinary: with rustup's std, too)
bench-start: ## from nothing to the first answer, in workerd and Node
bench-gateway: ## requests a second, p99 and memory of the gateway beside the bare server
bench-growth: ## a million identifiers, a thousand callers, limits up to a million

# One by one, each on a Redis of its own (QUICK=1: under 50 s).
BENCHES := bench-request bench-ops bench-large bench-fanout bench-limiter bench-cache bench-edge bench-size bench-start bench-gateway bench-growth
.PHONY: bench $(BENCHES)
bench $(BENCHES):
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-pkg.sh
	@$(if $(filter bench bench-edge,$@),scripts/build-worker.sh)
	@$(if $(filter ordinary,$(STD)),scripts/build-modules.sh)
	@$(IN_ENV) node bench/$(if $(filter bench,$@),all,$(@:bench-%=%)).mjs

build: ## the Worker into build/, the gateway into target/release/, the npm package into pkg/
	@scripts/setup.sh run
	@$(IN_ENV) cargo build --release -p upstash-gateway
	@scripts/build-worker.sh
	@scripts/build-pkg.sh

docs: ## the site of docs/ into target/docs-site/
	@scripts/setup.sh run
	@$(IN_ENV) vitepress build docs

setup: ## all tools, those of the tests too
	@scripts/setup.sh test

fmt: ## formats the Rust code
	@cargo fmt --all

clean: ## removes what was built, keeps the tools
	@rm -rf target build pkg/dist .wrangler
