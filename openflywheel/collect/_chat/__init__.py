"""Logs of conversations: one shape for all, and each form of log's own.

conversation  a conversation, and the Records that it becomes
forms         objects of JSON: OpenAI's messages, ShareGPT, ABCD
turns         tables with a turn a line: MultiDoGO
"""
