"""Cutting texts by their structure into chunks of so many tokens.

lines     the lines of a batch's texts, and what a cut before each would break
counting  the tokenizer of the model that the chunks are for
pieces    the smallest parts that may be joined, and how many tokens each has
packing   which pieces go together
cutting   all of it: texts to chunks, none above the budget
sections  the headings that a chunk stands under
"""
