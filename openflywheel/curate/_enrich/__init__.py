"""What can be said about a text: of its words, of the things it names, of where it comes from.

keywords, stopwords   its best words
spelling              words of a passage as strings
entities, naming      the things that it names: the list, and the look-up
origin                host, day, credibility, section
vectors               its embedding, made once
claims, settling      what its sentences say, and which of two that differ is right
dates                 when it was published
asking, answers       what a model is asked about it, and which answers may be kept
"""
