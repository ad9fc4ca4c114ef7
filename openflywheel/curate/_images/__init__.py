"""What `media` and `image_duplicates` share.

strip      what a camera or an editor wrote into a picture, taken out without touching a pixel
phash      a picture's perceptual hash
"""
