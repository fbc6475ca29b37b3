# Every target sets everything up first: a virtual environment in .venv, with uv where it is
# installed and with pip otherwise. It is installed anew only when the lists of packages change.

VENV := .venv
BIN := $(VENV)/bin
EXTRAS := classic,box2d,atari,dmc,minigrid,fast,crafter,nethack,bsuite,minatar,popgym,vizdoom,miniworld,retro,mujoco,metaworld,robotics,robodesk,memmaze,craftax,gymnax,navix,xminigrid,jumanji,pgx,brax,playground,hub,export,dream,docs,optuna,slurm,ray,remote,notebook,dev
DEMO := classic,minigrid,dream
# A file name may have 255 letters: the list of extras is told by its checksum.
STAMP := $(VENV)/.installed-$(shell printf %s '$(EXTRAS)' | cksum | cut -d ' ' -f 1)

.PHONY: demo test test-all test-pages lint docs setup

demo:
	@$(MAKE) --no-print-directory setup EXTRAS=$(DEMO)
	$(BIN)/reverie train minigrid_empty_8x8 --preset demo --logdir runs/demo
	$(BIN)/reverie report runs/demo
	@echo "play in its dream: $(BIN)/reverie dream runs/demo"

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"
	@$(MAKE) --no-print-directory lint

test-all: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@$(MAKE) --no-print-directory lint

# The pages in Chromium, which test skips: where none is installed every one of them is skipped.
test-pages: setup
	$(BIN)/python -m pytest tests/live/test_live_browser.py tests/dream/test_dream_browser.py \
		tests/dream/test_dream_browser_numbers.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

docs:
	@$(MAKE) --no-print-directory setup EXTRAS=docs
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (a few minutes, once)"
	@sh scripts/setup $(VENV) $(EXTRAS)
	@touch $@
