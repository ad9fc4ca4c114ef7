"""How a prompt is chosen.

paying      a bounded number of calls, each prompt asked once, also over restarts
questions   rows to ask about, with the demonstrations that each may be shown
choosing    candidates, tried on the same questions; a lead within noise does not count
cost        what all of that costs at the provider's prices
gepa        instructions written by reflection on what went wrong (dspy)
"""
