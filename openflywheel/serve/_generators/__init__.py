"""Loads the language models that the wheel has taught, where they are served, and lets go of the old ones.

champion       a model to load; what can go wrong with it
engine         what every place can do: load, unload, say what it holds
vllm           a vLLM over HTTP; share: which processes of this machine still use an adapter there
child          a process of our own that serves; host: its main module
host_llamacpp, host_transformers    what runs in it
chat           OpenAI's chat completions before a model in Python
held           a loaded model, and how many requests need it still
writing        a loaded model as base/instruments/answers.py has it
plain          a request without special tokens, for servers that would read them
gguf_base, gguf_words, gguf_adapter, gguf_read, weights    checkpoints and adapters as llama.cpp reads them
"""
