# Gatehouse. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Real images to measure on; what needs them says so and skips where they are not.
export GATEHOUSE_DATA ?= $(abspath ../shared/data)

PROGRAMS := gatehouse gatehouse-console gatectl gatesim
STATE    ?= state/demo
GO       ?= go
GOLANGCI_VERSION := v2.15.0

# OpenCV for gocv, plate lettering for the simulator, and the browser and the
# second MQTT broker and the second Modbus implementation that tests use.
APT_BUILD := gcc g++ pkg-config libopencv-dev libopencv-contrib-dev fonts-dejavu-core fonts-dejavu-extra fonts-liberation
APT_TEST  := chromium mosquitto python3-pymodbus python3-serial-asyncio dcmtk python3-pydicom
SUDO      := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- what has to be on the machine -------------------------------------------

.PHONY: deps deps-test
deps: ## install the Debian packages that building needs (sudo only if not root)
	@deploy/install-packages.sh "$(SUDO)" $(APT_BUILD)
deps-test: deps ## install what tests need beyond that
	@deploy/install-packages.sh "$(SUDO)" $(APT_TEST)

# --- build -------------------------------------------------------------------

.PHONY: build
build: deps vision web $(addprefix bin/,$(PROGRAMS)) ## build all programs into bin/
	@echo "built: $$(ls bin | tr '\n' ' ')"

.PHONY: $(addprefix bin/,$(PROGRAMS))
$(addprefix bin/,$(PROGRAMS)): bin/%: web
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/$*

.PHONY: vision
vision: bin/lib/libonnxruntime.so.1 ## build the vision worker with its models and libraries
	$(GO) build -trimpath -o bin/gatehouse-vision ./cmd/gatehouse-vision
	@rm -rf bin/models && mkdir -p bin/models && cp -r internal/vision/models/. bin/models/

bin/lib/libonnxruntime.so.1: deploy/vision/package-lock.json
	cd deploy/vision && npm ci --ignore-scripts --no-audit --no-fund
	@mkdir -p bin/lib
	cp -L deploy/vision/node_modules/onnxruntime-node/bin/napi-v*/linux/$$(node -p process.arch)/libonnxruntime.so.1 $@
	@touch $@

.PHONY: web
web: internal/console/web/dist/.built ## bundle the consoles' scripts and styles

internal/console/web/node_modules/.installed: internal/console/web/package-lock.json
	cd internal/console/web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

WEB_SOURCES := $(shell find internal/console/web -path '*/node_modules' -prune -o -path '*/dist' -prune -o -type f -print)
internal/console/web/dist/.built: internal/console/web/node_modules/.installed $(WEB_SOURCES)
	$(GO) run ./internal/console/web/bundle
	@touch $@

# --- run ---------------------------------------------------------------------

.PHONY: run
run: build ## run the demo gate: simulator, daemon, vision and both consoles
	@deploy/demo/run.sh "$(STATE)"

# --- test --------------------------------------------------------------------

.PHONY: test
test: deps-test build check-short ## everything CI runs: unit, browser and smoke tests
	BROWSER=short $(GO) test -race -shuffle=on -timeout 15m $$($(GO) list ./... | grep -vE '/vision/(accuracy|xray|picture)|/sim/render|/internal/passage|/console/crowd')
	$(GO) test -shuffle=on -timeout 15m ./internal/vision/xray/... ./internal/vision/picture ./internal/sim/render ./internal/passage ./internal/console/crowd  # arithmetic on pictures, a pure fold and queries over many rows, so without -race
	$(GO) test -timeout 15m -v ./internal/vision/accuracy  # figures of the models, likewise
	$(MAKE) --no-print-directory fuzz-short
	$(MAKE) --no-print-directory -j 2 -O smoke torture-short  # both wait more than they work
	$(MAKE) --no-print-directory story

.PHONY: browser
browser: web deps-test ## every page in every role on both consoles at once, in real browsers
	$(GO) test -race -count=1 -timeout 20m -v -run BothAgencies ./internal/console

.PHONY: story
story: build deps-test ## the onlooker's story in two real browsers, and bad input through every door
	$(GO) test -tags story -count=1 -timeout 10m -v ./internal/story

TORTURE := build/torture
.PHONY: smoke smoke-blind kill-programs
kill-programs: build deps-test # which can be killed at named points
	@mkdir -p $(TORTURE)
	@CGO_ENABLED=0 $(GO) build -trimpath -tags torture -o $(TORTURE)/ $(addprefix ./cmd/,$(PROGRAMS)) ./internal/torture/hubd
smoke: kill-programs ## the demo headless, with kill -9 at seeded points and a full accounting
	$(GO) test -tags smoke -count=1 -timeout 10m -v ./internal/smoke
smoke-blind: export SMOKE_WITHOUT_VISION = 1
smoke-blind: smoke ## the same, and once more without vision, which the account has to notice

# The wall clocks of these programs can be set, and bugs be planted in them.
.PHONY: torture torture-programs
torture-programs: build deps-test
	@mkdir -p $(TORTURE)/programs
	@$(GO) run ./internal/torture/overlay $(TORTURE)/overlay
	@CGO_ENABLED=0 $(GO) build -trimpath -tags torture -overlay $(TORTURE)/overlay/overlay.json -o $(TORTURE)/programs/ \
	  $(addprefix ./cmd/,$(PROGRAMS)) ./internal/torture/hubd ./internal/torture/backfill
# TORTURE_DIR names where the runs take place: on a RAM disk they wait for no sync, and disks that lose their power are file systems of their own anyway.
torture: torture-programs ## faults at seeded moments and points, and an account of everything (N= runs, JOBS= at a time, SEED= repeats, SHORT=1 a minute, FAULT="one;another")
	$(GO) test -tags torture -count=1 -timeout 0 -v -run '^(TestTorture|TestPlantedBugsAreCaught)$$' ./internal/torture

# No clock is set in it, so that the smoke test's programs do.
.PHONY: torture-short
torture-short: kill-programs ## two torture runs side by side, of faults that need no root (about 40 seconds)
	SHORT=1 TORTURE_PROGRAMS=$(abspath $(TORTURE)) $(GO) test -tags torture -count=1 -timeout 10m -v -run '^TestTorture$$' ./internal/torture

.PHONY: soak
soak: build deps-test ## an hour of traffic at four times Lang Son's peak against the truth (MINUTES= simulated, SPEED=, SOAK=short)
	$(GO) test -tags soak -count=1 -timeout 0 -v ./internal/soak

.PHONY: faults
faults: build deps-test ## every fault of the simulator once, and what each shows: a table, also in build/faults.md
	$(GO) test -tags faults -count=1 -timeout 15m -v ./internal/story/faults

.PHONY: check-short check
check-short: web ## formatting, vet, generated files and tidy modules
	@test -z "$$(gofmt -l cmd drivers internal)" || { gofmt -l cmd drivers internal; echo "run gofmt on these files"; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
check: check-short ## the same and the linter
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) run

FUZZTIME ?= 10m
.PHONY: fuzz fuzz-short
fuzz: ## fuzz each wire codec for FUZZTIME (default 10m), as many at once as there are processors
	@GO=$(GO) deploy/test/fuzz.sh $(FUZZTIME) $$(nproc)
fuzz-short: ## fuzz each wire codec for a minute, all at once
	@GO=$(GO) FRESH=1 deploy/test/fuzz.sh 1m 32

.PHONY: bench
bench: build ## ratios of journal, codecs and memory, each beside its peer in one run
	$(GO) test -tags bench -count=1 -timeout 20m -v ./internal/bench

.PHONY: bench-delivery
# OUTAGE= is how long an outage is replayed; the default is 8h, which takes some minutes.
bench-delivery: ## an alert's way to both consoles at 1, 10 and 100 lanes beside raw syncs, with and without an outage's backlog, and a capped line
	$(GO) test -tags bench -count=1 -timeout 90m -v -run '^(TestDelivery|TestBacklog|TestCap)$$' ./internal/bench

PASSAGES ?= 200000
.PHONY: bench-console
bench-console: web deps-test ## the console's search and pages over PASSAGES stored passages (default 200000), beside a yardstick
	@mkdir -p build/bench-console
	BENCH_DIR=$(abspath build/bench-console) PASSAGES=$(PASSAGES) $(GO) test -tags bench -count=1 -timeout 90m -run ConsoleAtSize -v ./internal/console/crowd

# --- models ------------------------------------------------------------------

APT_TRAIN := libopenblas0-pthread python3-torch python3-torchvision python3-opencv python3-pil python3-onnx fonts-dejavu fonts-liberation \
  fonts-opendin fonts-roadgeek fonts-roboto-unhinted fonts-open-sans fonts-urw-base35 fonts-dosis fonts-lato fonts-play \
  fonts-wqy-zenhei fonts-tlwg-loma-ttf fonts-tlwg-garuda-ttf fonts-lao fonts-khmeros fonts-adf-universalis \
  fonts-cabin fonts-inter fonts-b612 fonts-oxygen fonts-tiresias fonts-manrope fonts-noto-core
MINUTES ?= 60
TRAIN = cd internal/vision/training && /usr/bin/python3 -W ignore -m

.PHONY: train-deps train-plates train-xray eval
train-deps:
	@deploy/install-packages.sh "$(SUDO)" $(APT_TRAIN)
train-plates: train-plate-detector train-plate-corners train-plate-reader ## train the three nets for plates, MINUTES each (default 60)
.PHONY: train-plate-detector train-plate-corners train-plate-reader
train-plate-detector: train-deps ## train the net that finds plates and export it
	$(TRAIN) plates.detector --data $(GATEHOUSE_DATA) --out runs --minutes $(MINUTES) --resume
	$(TRAIN) plates.export --weights runs --only detector
train-plate-corners: train-deps ## train the net that straightens plates and export it
	$(TRAIN) plates.corners --data $(GATEHOUSE_DATA) --out runs --minutes $(MINUTES) --resume
	$(TRAIN) plates.export --weights runs --only corners
train-plate-reader: train-deps ## train the net that reads plates, calibrate it on the held-out vehicles and export it
	$(TRAIN) plates.reader --data $(GATEHOUSE_DATA) --out runs --minutes $(MINUTES) --resume
	$(TRAIN) plates.calibrate --data $(GATEHOUSE_DATA) --weights runs
	$(TRAIN) plates.export --weights runs --only reader
.PHONY: train-containers
train-containers: train-deps ## train the net that names characters on containers for MINUTES and export it
	$(TRAIN) containers.train --data $(GATEHOUSE_DATA) --out runs --minutes $(MINUTES) --resume
	$(TRAIN) containers.export --weights runs
train-xray: train-deps ## train the baggage net for MINUTES, set its threshold and export it
	$(TRAIN) xray.train --data $(GATEHOUSE_DATA) --out runs --hold-out gun --minutes $(MINUTES) --resume
	$(TRAIN) xray.closer --data $(GATEHOUSE_DATA) --heat runs/xray.pt --out runs --hold-out gun --minutes $(MINUTES) --resume
	$(TRAIN) xray.evaluate --data $(GATEHOUSE_DATA) --weights runs
	$(TRAIN) xray.export --weights runs
eval: train-deps ## figures of the models on the full dev split, as the cards quote them
	$(TRAIN) plates.evaluate --data $(GATEHOUSE_DATA) --weights runs
	$(TRAIN) xray.evaluate --data $(GATEHOUSE_DATA) --weights runs

.PHONY: eval-xray
eval-xray: train-deps vision ## figures of the X-ray net on the frozen list, of physics and of the cargo rules on theirs
	$(TRAIN) xray.measure --data $(GATEHOUSE_DATA) --weights ../models/xray-baggage --first $(MEASURE)
	GATEHOUSE_ACCURACY=full $(GO) test -count=1 -timeout 30m -v -run 'Figures|TestCargoRule$$' ./internal/vision/xray/...
	GATEHOUSE_ACCURACY=full $(GO) test -count=1 -timeout 30m -v -run 'TestContainers|TestSimulatedScans|TestClasses' ./internal/vision/accuracy

APT_RENDER := $(APT_TRAIN) fonts-bebas-neue fonts-adf-gillius fonts-clear-sans fonts-crosextra-carlito \
  fonts-routed-gothic fonts-osifont fonts-national-park fonts-wqy-microhei fonts-droid-fallback fonts-tlwg-waree-ttf \
  fonts-tlwg-sawasdee-ttf fonts-yanone-kaffeesatz
TESTSET := $(CURDIR)/build/testset
PEERS   := internal/vision/accuracy/peers

.PHONY: eval-plates bench-plates render-deps
render-deps:
	@deploy/install-packages.sh "$(SUDO)" $(APT_RENDER)
build/testset/labels.jsonl: internal/vision/training/plates/testset.py internal/vision/training/plates/testscene.py | render-deps
	$(TRAIN) plates.testset --out $(TESTSET)
eval-plates: vision build/testset/labels.jsonl ## figures of the plate models: every dev image, foreign ones, and the rendered set
	GATEHOUSE_TESTSET=$(TESTSET) $(GO) test -tags eval -count=1 -timeout 60m -v -run '^TestEval' ./internal/vision/accuracy

build/convoy/convoy.mp4: internal/vision/training/plates/convoy.py | render-deps
	$(TRAIN) plates.convoy --out $(CURDIR)/build/convoy
.PHONY: eval-watch eval-containers soak-vision soak-vision-hour
eval-watch: vision build/convoy/convoy.mp4 ## a rendered convoy of ten lorries through the watch command
	GATEHOUSE_CONVOY=$(CURDIR)/build/convoy $(GO) test -tags eval -count=1 -timeout 30m -v -run '^TestEvalConvoy$$' ./internal/vision/accuracy
eval-containers: vision ## figures of the container reader on the photographs
	$(GO) test -tags eval -count=1 -timeout 30m -v -run '^TestEvalContainers$$' ./internal/vision/accuracy
SOAK_IMAGES ?= 20000
soak-vision: vision ## SOAK_IMAGES pictures (default 20000) through one worker, whose memory must stay flat
	SOAK_IMAGES=$(SOAK_IMAGES) $(GO) test -count=1 -timeout 0 -v -run '^TestMemoryIsFlat$$' ./cmd/gatehouse-vision
soak-vision-hour: vision ## the same for MINUTES (default 60), however many pictures that is
	SOAK_MINUTES=$(MINUTES) $(GO) test -count=1 -timeout 0 -v -run '^TestMemoryIsFlat$$' ./cmd/gatehouse-vision

$(PEERS)/node_modules/.installed: $(PEERS)/package-lock.json
	cd $(PEERS) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
build/bench/resnet18.onnx: | render-deps
	@mkdir -p build/bench
	/usr/bin/python3 -W ignore -c "import torch, torchvision; torch.onnx.export(torchvision.models.resnet18().eval(), \
	  torch.rand(1, 3, 320, 320), '$@', opset_version=13, input_names=['input'], output_names=['out'])"
bench-plates: vision build/testset/labels.jsonl build/bench/resnet18.onnx $(PEERS)/node_modules/.installed ## plates beside PP-OCRv4 and Tesseract
	@deploy/install-packages.sh "$(SUDO)" tesseract-ocr tesseract-ocr-eng
	GATEHOUSE_BENCH=$(CURDIR)/build/bench GATEHOUSE_TESTSET=$(TESTSET) \
	  $(GO) test -tags eval -count=1 -timeout 60m -v -run '^TestBench$$' ./internal/vision/accuracy

.PHONY: bench-xray retrain-xray
bench-xray: vision build/bench/resnet18.onnx ## time and memory per X-ray scan beside the same yardstick
	GATEHOUSE_BENCH=$(CURDIR)/build/bench $(GO) test -tags bench -count=1 -timeout 20m -v -run '^TestBench$$' ./internal/vision/xray
retrain-xray: train-deps ## fine-tune the X-ray net on a site's own benign scans: make retrain-xray DATA=FOLDER
	@test -n "$(DATA)" || { echo "say where the scans are: make retrain-xray DATA=FOLDER [MINUTES=60]"; exit 2; }
	$(TRAIN) xray.train --data $(GATEHOUSE_DATA) --site $(abspath $(DATA)) --out runs/site --start ../models/xray-baggage/weights.npz --lr 5e-4 --minutes $(MINUTES) --resume
	$(TRAIN) xray.closer --data $(GATEHOUSE_DATA) --site $(abspath $(DATA)) --heat runs/site/xray.pt --out runs/site --start ../models/xray-baggage/closer.npz --lr 5e-4 --minutes $(MINUTES) --resume
	$(TRAIN) xray.threshold --site $(abspath $(DATA)) --weights runs/site
	$(TRAIN) xray.export --weights runs/site --models $(CURDIR)/build/site-models --site
	@echo "the model is in build/site-models; put it in the models folder and run gatectl xray calibrate"

.PHONY: mutated-xray
mutated-xray: ## 1,000 damaged and cut scan files of every form through real workers
	GATEHOUSE_MUTATED=1000 $(GO) test -count=1 -timeout 30m -v -run TestMutatedScansThroughThePool ./internal/vision

.PHONY: calibrate-demo
calibrate-demo: bin/gatesim bin/gatectl vision ## calibrate the simulated scanners anew, as a new model asks for
	rm -rf build/benign configs/demo/scanners
	bin/gatesim scans --kind cargo --count 240 build/benign/cargo
	bin/gatesim scans --kind baggage --count 120 build/benign/baggage
	bin/gatectl xray calibrate --scanner 01-xray --kind cargo --false-alarms 0.02 --store configs/demo/scanners build/benign/cargo
	bin/gatectl xray calibrate --scanner 02-xray --kind baggage --false-alarms 0.05 --store configs/demo/scanners build/benign/baggage

.PHONY: generate
generate: ## make generated files anew: pages and JSON Schemas
	$(GO) generate ./...

.PHONY: clean
clean: ## remove what was built; state/ stays
	rm -rf bin build internal/console/web/node_modules deploy/vision/node_modules
	find internal/console/web/dist -mindepth 1 ! -name .gitignore -delete
