# Read by the `flask` command only, for use on this machine: gunicorn and the serverless triggers never read this file.
# A variable that is exported wins over its line here; an empty one too: `HONGYAN_EMULATOR= flask run` chooses the real cloud.
FLASK_APP=events.cli
FLASK_RUN_PORT=8000
HONGYAN_EMULATOR=local
