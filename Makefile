# make book   build the book and serve it      make test       everything CI checks
# make html   build it                         make benchmark  time figures and layers
# make pdf    print it to one file             make lighthouse audit the pages by Lighthouse
# make clean  drop what was built              make fork       give it a fork's address: URL=https://github.com/me/my-flows
# make package, oldest, nightly, js, simd, colab, lab, links, hooks, browsers: see CONTRIBUTING.md

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.10 python, \
	$(shell $(p) -c 'import sys; (3, 10) <= sys.version_info[:2] <= (3, 13) and print("$(p)")' 2>/dev/null)))
BIN := .venv/bin
BUILT := .venv/installed
QUIET := $(if $(CI),--quiet)
HAVE_PYTHON = @test -n "$(PYTHON)" || { echo "No Python found: install Python 3.10, 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python3." >&2; exit 1; }

# numpy and torch would start a thread for each core, and they wait where a core is busy: up to seven
# times the work.  Code that wants threads calls torch.set_num_threads.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

# Many a Python is started here, each with thousands of modules: the first one that compiles a module
# writes the result down for the others, also where an environment says that it should not.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: book html pdf test chapters notebooks package house oldest nightly js simd compiler links hooks benchmark lighthouse browser browsers colab lab fork clean

book: html
	$(BIN)/python tools/serve.py _build/html

html: $(BUILT)
	$(BIN)/jupyter-book build book --toc "$(CURDIR)/_toc.yml" -W --keep-going $(QUIET) \
		|| { rm -rf _build/.doctrees; exit 1; } # or the next build would not see the warnings again

# The whole book as one file, from the pages as they are built.
pdf: html browser
	$(BIN)/python -m tools.pdf

# What needs no book runs while the chapters are executed and the book is built.  Tests wait, for
# browsers, kernels and servers: three processes keep two cores busy, and the chapters go first.
test: browser
	$(MAKE) --jobs=3 chapters package house
	$(BIN)/pytest -q -n 3 --dist loadgroup tests/built

chapters: notebooks
	$(MAKE) html

# nbval executes the chapters; the build takes what they show.  A second run is compared with the first.
notebooks: $(BUILT)
	$(BIN)/python -m pytest -q -p tools.executed --nbval-lax --nbval-current-env --nbval-cell-timeout 300 book

# flowlib and its figures: what macOS runs, and Windows without make.
package: browser
	nice $(BIN)/pytest -q tests/flowlib tests/live

house: $(BUILT)
	nice $(BIN)/pytest -q tests --ignore tests/flowlib --ignore tests/live --ignore tests/built

# flowlib's tests with the oldest versions that it supports, on Python 3.10, and in a page without
# WebAssembly: its loops do all the work.
OLDEST := .venv-oldest/bin

oldest: .venv-oldest/installed
	$(OLDEST)/python tools/chromium.py >/dev/null
	WITHOUT_WASM=1 $(OLDEST)/pytest -q tests/flowlib tests/live

# The same tests with the newest torch that was built at night, and all else as it is pinned.
NIGHTLY := .venv-nightly/bin

nightly:
	$(HAVE_PYTHON)
	$(PYTHON) -m venv .venv-nightly
	$(NIGHTLY)/python -m pip install --disable-pip-version-check $(QUIET) --upgrade --pre torch \
		--index-url https://download.pytorch.org/whl/nightly/cpu
	grep -v '^torch==' requirements.txt >.nightly.txt
	$(NIGHTLY)/python -m pip install --disable-pip-version-check $(QUIET) -r .nightly.txt
	$(NIGHTLY)/python tools/chromium.py >/dev/null
	$(NIGHTLY)/pytest -q tests/flowlib tests/live

# Checks every address that the book leads to; needs no notebook's outputs.
links: $(BUILT)
	sed 's/execute_notebooks: cache/execute_notebooks: "off"/' _config.yml >.links.yml
	$(BIN)/jupyter-book build book --toc "$(CURDIR)/_toc.yml" --config .links.yml --builder linkcheck $(QUIET)

# The page's scripts, from the modules in flowlib/live/js to flowlib/live/live*.js.  Needs Node.js.
js:
	@$(PYTHON) -m tools.js

# The kernels of the page's evaluator, from flowlib/live/js/simd to flowlib/live/js/module.js.
simd: compiler
	$(BIN)/python -m tools.simd
	$(MAKE) js

# With it, a test compiles the kernels again and compares.
compiler: $(BUILT)
	$(BIN)/python -m pip install --disable-pip-version-check $(QUIET) ziglang==0.15.1

# Now on every file, and from now on before each commit on what it changes.
hooks: $(BUILT)
	$(BIN)/pre-commit install
	$(BIN)/pre-commit run --all-files

benchmark: html
	$(BIN)/python -m pip install --disable-pip-version-check $(QUIET) -r requirements.txt -r benchmarks/requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check $(QUIET) --no-deps -r benchmarks/without_dependencies.txt
	for script in frame training coupling autoregressive splines continuous kernels; do $(BIN)/python -m benchmarks.$$script || exit; done

lighthouse: html browser
	$(BIN)/python -m benchmarks.lighthouse

browser: $(BUILT)
	@$(BIN)/python tools/chromium.py >/dev/null

# What `make test` drives, on Debian and Ubuntu: Chromium, and Firefox and WebKit, which it can do without.
browsers:
	.ci/browsers

# Every chapter whole, with Colab's versions: on Linux, its torch is several gigabytes.
colab: $(BUILT)
	$(BIN)/python -m tools.colab

# Every chapter whole, in JupyterLab.
lab: browser
	WHOLE=1 $(BIN)/pytest -q tests/repository/test_lab.py

# Needs no packages: a fork's own workflow calls it before it installs any.
fork:
	@$(PYTHON) tools/fork.py "$(URL)"

clean:
	rm -rf _build

# One install for each state of the two files that list what to install.
$(BUILT): requirements.txt pyproject.toml
	$(HAVE_PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(QUIET) -r requirements.txt
	@touch $@

.venv-oldest/installed: tests/oldest.txt pyproject.toml
	python3.10 -m venv .venv-oldest
	$(OLDEST)/python -m pip install --disable-pip-version-check $(QUIET) -r tests/oldest.txt
	@touch $@
